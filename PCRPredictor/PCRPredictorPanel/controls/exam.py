"""The section "Exam": the three phases, chosen by hand, guessed, or taken from a sequence."""

from __future__ import annotations

from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from ..node_scene import NodeScene
from ..toolkit.path_field import path_of, remember, used


class ExamControls:
    """Chooses the volumes of an exam.

    Args:
        ui: the panel's widgets by name.
        scene: with the exam.
        session: that works on it.
    """

    def __init__(self, ui: Any, scene: NodeScene, session: Session) -> None:
        self._ui, self._scene, self._session, self._activity = ui, scene, session, session.activity
        for name in ("pre", "early", "late"):
            field = getattr(ui, f"{name}Selector")
            field.connect("nodeActivated(vtkMRMLNode*)", lambda node, name=name: scene.choose({name: node}))
        ui.sequenceSelector.connect("nodeActivated(vtkMRMLNode*)", self._choose_sequence)
        ui.guessButton.connect("clicked(bool)", self._guess)
        remember(ui.examPath, "Exam", fill=True)
        ui.openExamButton.connect("clicked(bool)", self._open)
        session.activity.on_change.append(self.update)

    def update(self) -> None:
        """Show the times of the phases, warnings about them, and what was not used."""
        self._ui.examNotesLabel.text = self._session.exam_words.text

    def _open(self, *_args: object) -> None:
        """Read the exam in the file or folder that is chosen, as `pcr predict` and the page do."""
        from PCRPredictorLib.reading.sources import only_source

        if (path := path_of(self._ui.examPath)) is None:
            self._activity.report_problem(_("Choose a file with all phases, or a folder with an exam."))
            return
        used(self._ui.examPath)
        self._session.open(lambda: only_source(path).read(), path.name)

    def _guess(self, *_args: object) -> None:
        if not self._scene.guess():
            problem = _("The names and times of the volumes do not identify the phases; choose them.")
            self._activity.report_problem(problem)

    def _choose_sequence(self, sequence: Any) -> None:
        try:
            if sequence is not None:
                self._scene.choose_sequence(sequence)
        except DataError as error:
            self._activity.report_problem(str(error))
