"""The section "Results": every model with its intervals, charts, attention of each step, evaluation, installation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import slicer
from PCRPredictorLib.formatting import format_value
from PCRPredictorPanel.toolkit.background import Background
from PCRPredictorPanel.toolkit.child_process import ChildProcess, last_sentence
from PCRPredictorPanel.toolkit.path_field import follow, path_of
from PCRPredictorPanel.toolkit.table import Table
from slicer.i18n import tr as _

from .cohort_controls import COMMANDS, CohortControls
from .live_charts import COLOURS, find_or_add, name_axes, plot, show_charts
from .run_controls import RunControls

COLUMNS = {
    "name": _("Model"),
    "cohort": _("Patients"),
    "auc": _("AUC"),
    "sensitivity": _("Sensitivity"),
    "specificity": _("Specificity"),
    "brier": _("Brier score"),
    "attention_in_tumour": _("Attention in tumour"),
}
_LAYOUT = 5209  # of our own


class ResultsControls:
    """Shows what a run gave.

    Args:
        ui: the panel's widgets by name.
        cohort: that was trained on.
        run: whose results are shown.
        background: where attention is computed.
        complain: called with a sentence when something cannot be done.
        store: where PCR Predictor keeps a user's own models.
    """

    def __init__(
        self,
        ui: Any,
        cohort: CohortControls,
        run: RunControls,
        background: Background,
        complain: Callable[[str], None],
        store: Path,
    ) -> None:
        self._ui, self._cohort, self._run, self._background = ui, cohort, run, background
        self._complain, self._store = complain, store
        self._models: list[dict[str, Any]] = []
        self._read: object = None  # what the table was read from
        self._nodes: dict[str, Any] = {}
        self._attention: dict[str, Any] = {}
        self._evaluation: Path | None = None  # folder of the last one; the field may be changed meanwhile
        self._child = ChildProcess(lambda event: None, self._evaluated)
        self._table = Table(ui.resultsTable, COLUMNS)
        ui.rocButton.connect("clicked(bool)", self.show_charts)
        ui.useButton.connect("clicked(bool)", self.install)
        ui.explainButton.connect("clicked(bool)", self.explain)
        ui.stepSelector.connect("currentIndexChanged(int)", self._lay_over)
        ui.evaluateButton.connect("clicked(bool)", self.evaluate)
        for path in (ui.externalPath, ui.evaluationPath):
            follow(path, self.update)

    def update(self, *_args: object) -> None:
        """Read the results of the run folder where they are new, and which buttons can be used."""
        run = self._run.run
        files = [file for file in (run.summary, run.experiment) if file.is_file()] if run else []
        read = [(str(file), file.stat().st_mtime_ns) for file in files]
        if read != self._read:
            self._read = read
            self._show(run if files else None)
        ui = self._ui
        has_bundle = run is not None and run.bundle.is_dir()
        ui.rocButton.enabled = any("roc" in model for model in self._models)
        ui.useButton.enabled = has_bundle
        ui.useButton.toolTip = (
            _("Install the model of this run, so that PCR Predictor lists it.")
            if has_bundle
            else _("This run has left no model yet: train the curriculum to its end.")
        )
        ui.explainButton.enabled = bool(ui.explainSelector.count)
        chosen = None not in (path_of(ui.externalPath), path_of(ui.evaluationPath))
        ui.evaluateButton.enabled = has_bundle and chosen and not self._child.running

    def show_charts(self, *_args: object) -> None:
        """ROC and calibration curves of every model."""
        roc = find_or_add("vtkMRMLPlotChartNode", _("ROC"))
        calibration = find_or_add("vtkMRMLPlotChartNode", _("Calibration"))
        name_axes(roc, _("1 - specificity"), _("Sensitivity"))
        name_axes(calibration, _("Predicted"), _("Observed"))
        drawn = [model for model in self._models if "roc" in model]
        for model, colour in zip(drawn, cycle(COLOURS), strict=False):
            curve, name = model["roc"], f"{model['name']}, {model['cohort']}"
            plot(roc, name, list(zip(curve["false_positive_rate"], curve["sensitivity"], strict=True)), colour)
            plot(calibration, name, [(b["predicted"], b["observed"]) for b in model["calibration_curve"]], colour)
        show_charts(_LAYOUT, {"PCRROC": roc, "PCRCalibration": calibration})

    def install(self, *_args: object) -> None:
        """Copy the run's bundle to where PCR Predictor finds it."""
        from PCRPredictorLib.errors import DataError
        from PCRPredictorLib.model.store import add_model

        try:
            model = add_model(self._run.run.bundle, self._store, name=self._run.folder.resolve().name)
        except DataError as error:
            self._complain(str(error))
            return
        widget = getattr(slicer.modules, "PCRPredictorWidget", None)
        if widget is not None:
            widget.models.refresh(model.name)
        self._ui.runLabel.text = _("PCR Predictor lists the model {name} now.").format(name=model.name)

    def explain(self, *_args: object) -> None:
        """Open the chosen patient with the attention of each step that did not see it."""
        from PCRPredictorLib.reading.cohort import find_patient, read_patient

        folder, run, name = self._cohort.folder, self._run.run, self._ui.explainSelector.currentText

        def work() -> Any:
            from PCRTrainingLib.runs.step_attention import explain_steps

            exam = read_patient(find_patient(folder, name))
            return exam, explain_steps(run, name, exam)

        self._ui.explainButton.enabled = False
        self._background.start(work, self._show_attention, self._refuse)

    def evaluate(self, *_args: object) -> None:
        """`pcr evaluate` of the run's model on another cohort."""
        cohort, out, run = path_of(self._ui.externalPath), path_of(self._ui.evaluationPath), self._run.run
        if cohort is None or out is None or run is None:
            return
        self._evaluation = out
        self._ui.runLabel.text = _("Evaluating...")
        self._child.start(["evaluate", str(cohort), "--model", str(run.bundle), "--out", str(out)], COMMANDS)
        self.update()

    def forget(self) -> None:
        """The scene has closed."""
        self._nodes, self._attention = {}, {}

    def close(self) -> None:
        """End the child."""
        self._child.close()

    def _show(self, run: Any) -> None:
        from PCRPredictorLib.errors import DataError
        from PCRTrainingLib.run_state import held_out, read_models

        self._models = []
        if run is not None:
            try:
                self._models = read_models(run)
            except DataError as error:
                self._complain(str(error))
        self._fill_table()
        self._ui.explainSelector.clear()
        for name in held_out(run) if self._models else ():
            self._ui.explainSelector.addItem(name)

    def _fill_table(self) -> None:
        self._table.clear()
        for model in self._models:
            self._table.add({name: format_value(_value(model, name)) for name in COLUMNS})
        self._table.finish()

    def _show_attention(self, found: tuple) -> None:
        from PCRPredictorLib.mrml.nodes import add_exam, put_attention, remove, show_overlay, to_vtk_image

        exam, maps = found
        for node in (*self._nodes.values(), *self._attention.values()):
            remove(node)
        self._nodes = add_exam(slicer.mrmlScene, exam)
        scene, geometry = slicer.mrmlScene, exam.geometry
        self._attention = {
            step: put_attention(scene, None, to_vtk_image(values), geometry) for step, values in maps.items()
        }
        for step, node in self._attention.items():
            node.SetName(step)
        selector = self._ui.stepSelector
        selector.clear()
        for step in self._attention:
            selector.addItem(step)
        show_overlay(scene, self._nodes["early"], list(self._attention.values())[-1], exam.centre)
        selector.setCurrentIndex(len(self._attention) - 1)
        self._ui.explainButton.enabled = True

    def _lay_over(self, *_args: object) -> None:
        from PCRPredictorLib.mrml.display import set_legend, set_overlay

        node = self._attention.get(self._ui.stepSelector.currentText)
        if node is not None:
            set_overlay(slicer.mrmlScene, node)
            for other in self._attention.values():
                set_legend(other, other is node)

    def _refuse(self, error: Exception) -> None:
        self._ui.explainButton.enabled = True
        self._complain(str(error))

    def _evaluated(self, code: int | None, errors: str) -> None:
        from PCRTrainingLib.run_folder import RunFolder
        from PCRTrainingLib.run_state import read_models

        if code == 0:
            self._models += read_models(RunFolder(self._evaluation))
            self._fill_table()
            self._ui.runLabel.text = _("Evaluated: {path}").format(path=self._evaluation)
        elif code is not None:
            self._ui.runLabel.text = last_sentence(errors, code)
            self._complain(self._ui.runLabel.text)
        self.update()


def _value(model: dict[str, Any], name: str) -> Any:
    if name == "attention_in_tumour" and isinstance(model.get("attention"), dict):
        return model["attention"]["in_tumour"]
    return model.get(name)
