"""The section "Results": every model with its intervals, charts, attention of each step, evaluation, installation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.store import add_model
from PCRPredictorLib.mrml.display import compare_steps, set_legend, set_overlay
from PCRPredictorLib.mrml.nodes import add_exam, put_attention, remove, show_overlay, to_vtk_image
from PCRPredictorLib.reading.cohort import find_patient, read_patient
from PCRPredictorPanel.toolkit.background import Background
from PCRPredictorPanel.toolkit.child_process import ChildProcess, last_sentence
from PCRPredictorPanel.toolkit.messages import trace_in
from PCRPredictorPanel.toolkit.path_field import follow, path_of, remember, used
from PCRPredictorPanel.toolkit.plain_text import show_text
from PCRPredictorPanel.toolkit.table import Table
from PCRTrainingLib.charts import model_row, result_charts
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.run_state import held_out, read_models
from slicer.i18n import tr as _

from .cohort_controls import COMMANDS, CohortControls, ShowError
from .plot_charts import plot_charts, show_charts
from .run_controls import RunControls
from .start_up import RESULTS_LAYOUT

COLUMNS = {
    "name": _("Model"),
    "cohort": _("Patients"),
    "auc": _("AUC"),
    "sensitivity": _("Sensitivity"),
    "specificity": _("Specificity"),
    "brier": _("Brier score"),
    "attention_in_tumour": _("Attention in tumour"),
}


class ResultsControls:
    """Shows what the models of a run reached.

    Args:
        ui: the panel's widgets by name.
        cohort: the run was trained on.
        run: to show.
        background: computes attention.
        show_error: called with a sentence when something cannot be done.
        store: where PCR Predictor keeps a user's own models.
    """

    def __init__(
        self,
        ui: Any,
        cohort: CohortControls,
        run: RunControls,
        background: Background,
        show_error: ShowError,
        store: Path,
    ) -> None:
        self._ui, self._cohort, self._run, self._background = ui, cohort, run, background
        self._show_error, self._store = show_error, store
        self._models: list[dict[str, Any]] = []
        self._read: object = None  # what the table was read from
        self._nodes: dict[str, Any] = {}
        self._attention: dict[str, Any] = {}
        self._evaluation: Path | None = None  # folder of the last one; the field may be changed meanwhile
        self._child = ChildProcess(lambda event: None, self._show_evaluation)
        self._table = Table(ui.resultsTable, COLUMNS)
        ui.rocButton.connect("clicked(bool)", self.show_charts)
        ui.useButton.connect("clicked(bool)", self.install)
        ui.explainButton.connect("clicked(bool)", self.explain)
        ui.stepsButton.connect("clicked(bool)", self.compare)
        ui.stepSelector.connect("currentIndexChanged(int)", self._show_step)
        ui.evaluateButton.connect("clicked(bool)", self.evaluate)
        remember(ui.externalPath, "Cohort")
        remember(ui.evaluationPath, "Evaluation")
        for path in (ui.externalPath, ui.evaluationPath):
            follow(path, self.update)

    def update(self, *_args: object) -> None:
        """Read new results of the run folder, and enable the buttons that can be used now."""
        run = self._run.run
        files = [file for file in (run.summary, run.experiment) if file.is_file()] if run else []
        read = [(str(file), file.stat().st_mtime_ns) for file in files]
        if read != self._read:
            self._read = read
            self._read_results(run if files else None)
        ui = self._ui
        has_bundle = run is not None and run.bundle.is_dir()
        ui.rocButton.enabled = any("roc" in model for model in self._models)
        ui.useButton.enabled = has_bundle
        ui.useButton.toolTip = (
            _("Install the model of this run, so that PCR Predictor lists it.")
            if has_bundle
            else _("This run has left no model yet: train the curriculum to its end.")
        )
        ui.explainButton.enabled = ui.stepsButton.enabled = bool(ui.explainSelector.count)
        chosen = None not in (path_of(ui.externalPath), path_of(ui.evaluationPath))
        ui.evaluateButton.enabled = has_bundle and chosen and not self._child.running

    def show_charts(self, *_args: object) -> None:
        """Show ROC and calibration curves of every model."""
        show_charts(RESULTS_LAYOUT, plot_charts(result_charts(self._models, _)))

    def install(self, *_args: object) -> None:
        """Install the run's bundle, so that PCR Predictor lists it."""
        run = self._run.run
        try:
            model = add_model(run.bundle, self._store, name=run.path.resolve().name)
        except DataError as error:
            self._show_error(error)
            return
        widget = getattr(slicer.modules, "PCRPredictorWidget", None)
        if widget is not None:
            widget.models.refresh(model.name)
        show_text(self._ui.runLabel, _("PCR Predictor lists the model {name} now.").format(name=model.name))

    def explain(self, *_args: object) -> None:
        """Open the chosen patient with the attention of each step, by the fold that held the patient out."""
        self._explain(self._show_attention)

    def compare(self, *_args: object) -> None:
        """Open the chosen patient with the attention of the steps side by side, in linked views."""
        self._explain(self._show_side_by_side)

    def _explain(self, show: Callable[[tuple], None]) -> None:
        folder, run, name = self._cohort.folder, self._run.run, self._ui.explainSelector.currentText

        def work() -> Any:
            from PCRTrainingLib.runs.step_attention import explain_steps

            exam = read_patient(find_patient(folder, name))
            return exam, explain_steps(run, name, exam)

        self._ui.explainButton.enabled = self._ui.stepsButton.enabled = False
        self._background.start(work, show, self._report_failure)

    def evaluate(self, *_args: object) -> None:
        """Evaluate the run's model on a different cohort, as `pcr evaluate` does."""
        cohort, out, run = path_of(self._ui.externalPath), path_of(self._ui.evaluationPath), self._run.run
        if cohort is None or out is None or run is None:
            return
        used(self._ui.externalPath, self._ui.evaluationPath)
        self._evaluation = out
        show_text(self._ui.runLabel, _("Evaluating..."))
        self._child.start(["evaluate", str(cohort), "--model", str(run.bundle), "--out", str(out)], COMMANDS)
        self.update()

    def forget(self) -> None:
        """Forget the nodes of a scene that has closed."""
        self._nodes, self._attention = {}, {}

    def close(self) -> None:
        """End the evaluation."""
        self._child.close()

    def _read_results(self, run: RunFolder | None) -> None:
        self._models, patients = [], {}
        if run is not None:
            try:
                self._models, patients = read_models(run), held_out(run)
            except DataError as error:
                self._show_error(error)
        self._fill_table()
        self._ui.explainSelector.clear()
        for name in patients if self._models else ():
            self._ui.explainSelector.addItem(name)

    def _fill_table(self) -> None:
        self._table.clear()
        for model in self._models:
            self._table.add(model_row(model))
        self._ui.resultsTable.setVisible(bool(self._models))
        self._table.finish()

    def _show_attention(self, found: tuple) -> None:
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
        self._ui.explainButton.enabled = self._ui.stepsButton.enabled = True

    def _show_side_by_side(self, found: tuple) -> None:
        self._show_attention(found)
        for node in self._attention.values():
            set_legend(node, False)
        compare_steps(slicer.mrmlScene, self._nodes["early"], self._attention)

    def _show_step(self, *_args: object) -> None:
        node = self._attention.get(self._ui.stepSelector.currentText)
        if node is not None:
            set_overlay(slicer.mrmlScene, node)
            for other in self._attention.values():
                set_legend(other, other is node)

    def _report_failure(self, error: Exception) -> None:
        self._ui.explainButton.enabled = self._ui.stepsButton.enabled = True
        self._show_error(error)

    def _show_evaluation(self, code: int | None, errors: str) -> None:
        if code == 0:
            self._models += read_models(RunFolder(self._evaluation))
            self._fill_table()
            show_text(self._ui.runLabel, _("Evaluated: {path}").format(path=self._evaluation))
        elif code is not None:
            problem = last_sentence(errors, code)
            show_text(self._ui.runLabel, problem)
            self._show_error(problem, trace_in(errors))
        self.update()
