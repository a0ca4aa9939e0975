"""The section "Adapt a model": `pcr bundle recalibrate` on the chosen cohort, and the model to start a run from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.store import add_model, list_models
from PCRPredictorPanel.toolkit.child_process import ChildProcess, last_sentence
from PCRPredictorPanel.toolkit.messages import trace_in
from PCRPredictorPanel.toolkit.path_field import follow, path_of, remember, used
from PCRPredictorPanel.toolkit.plain_text import literal, show_text
from PCRTrainingLib.training_choices import RecalibrationChoices
from slicer.i18n import tr as _

from .cohort_controls import COMMANDS, CohortControls, ShowError

POINTS = {"promised": _("keep what they promise"), "rechosen": _("choose them anew")}


class AdaptControls:
    """Recalibrates a model, and offers models to start a run from.

    Args:
        ui: the panel's widgets by name.
        cohort: to recalibrate on.
        changed: called when a different model to start from is chosen.
        show_error: called with a sentence when something cannot be done.
        store: where PCR Predictor keeps a user's own models.
    """

    def __init__(
        self,
        ui: Any,
        cohort: CohortControls,
        changed: Callable[[], None],
        show_error: ShowError,
        store: Path,
    ) -> None:
        self._ui, self._cohort, self._show_error, self._store = ui, cohort, show_error, store
        self._child = ChildProcess(lambda _event: None, self._end, self._add_line)
        self._lines: list[str] = []
        self._written: Path | None = None  # the last new bundle; the field may be changed meanwhile
        for key, text in POINTS.items():
            ui.pointsSelector.addItem(text, key)
        self.refresh()
        remember(ui.adaptPath, "Adapted")
        follow(ui.adaptPath, self.update)
        ui.recalibrateButton.connect("clicked(bool)", self.recalibrate)
        ui.useAdaptedButton.connect("clicked(bool)", self.install)
        ui.startSelector.connect("currentIndexChanged(int)", lambda *_args: changed())

    @property
    def choices(self) -> RecalibrationChoices:
        """What is chosen now."""
        out, points = path_of(self._ui.adaptPath), self._ui.pointsSelector.currentData
        cohorts = self._cohort.folders
        return RecalibrationChoices(self._ui.adaptSelector.currentData, cohorts, out, points, self._child.running, _)

    def refresh(self) -> None:
        """List the models that ship and the user's own."""
        models = list_models(self._store)
        for selector, first in ((self._ui.adaptSelector, None), (self._ui.startSelector, _("random weights"))):
            chosen = selector.currentData
            selector.clear()
            if first is not None:
                selector.addItem(first, "")
            for model in models:
                selector.addItem(model.name, str(model.path))
            selector.setCurrentIndex(max(selector.findData(chosen), 0))

    def recalibrate(self, *_args: object) -> None:
        """Recalibrate the chosen model in a process of its own."""
        choices = self.choices
        if choices.problem is not None:
            return
        used(self._ui.adaptPath)
        self._lines.clear()
        self._written = choices.out
        show_text(self._ui.adaptLabel, _("Recalibrating..."))
        self._child.start(choices.words(), COMMANDS)
        self.update()

    def install(self, *_args: object) -> None:
        """Install the new model, so that PCR Predictor lists it."""
        if self._written is None:
            return
        try:
            model = add_model(self._written, self._store)
        except DataError as error:
            self._show_error(error)
            return
        widget = getattr(slicer.modules, "PCRPredictorWidget", None)
        if widget is not None:
            widget.models.refresh(model.name)
        self.refresh()
        show_text(self._ui.adaptLabel, _("PCR Predictor lists the model {name} now.").format(name=model.name))

    def update(self, *_args: object) -> None:
        """Enable the buttons that can be used now, and say why others cannot."""
        problem = self.choices.problem
        self._ui.recalibrateButton.enabled = problem is None
        self._ui.recalibrateButton.toolTip = literal(problem) or _(
            "Offset, slope and operating points for these patients."
        )
        written = self._written is not None and self._written.is_dir() and not self._child.running
        self._ui.useAdaptedButton.enabled = written

    def close(self) -> None:
        """End the recalibration."""
        self._child.close()

    def _add_line(self, line: str) -> None:
        self._lines.append(line.strip())

    def _end(self, code: int | None, errors: str) -> None:
        text = "\n".join(self._lines) if code == 0 else last_sentence(errors, code or 0)
        if code == 0:
            show_text(self._ui.adaptLabel, text)
        else:
            self._cohort.show_linked(self._ui.adaptLabel, text)
        if code not in (0, None):
            self._show_error(text, trace_in(errors))
        self.update()
