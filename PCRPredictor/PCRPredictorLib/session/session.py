"""The open exam: what is chosen, what is running, and the result. Qt and trame only bind to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..clinical import ClinicalSchema
from ..curves.phases import hold_phases
from ..errors import DataError
from ..exam import Exam
from ..lesion.exam_check import read_and_check
from ..lesion.sides import separate_sides
from ..prediction import Prediction
from ..report.wording import Translate
from ..saved.result import Packed
from .activity import Activity
from .candidates import Candidates
from .clinical_form import ClinicalForm
from .exam_words import ExamWords, describe_exam
from .frontend import ExamScene, Worker
from .kept import KeptResults, predict_and_pack
from .model_choice import ModelChoice, ModelRunner
from .overlay import OverlaySettings
from .reading import ReadingRoom
from .result import PredictionInputs, Result, ResultWords, describe_result, describe_stale, save_result
from .tumour import Tumour
from .what_if import Hypothesis, WhatIf


class Session:
    """An exam, a model, a prediction, and what the user does with them.

    Args:
        scene: the exam as the frontend holds it.
        worker: where long work runs.
        runner: loads models; sessions side by side may share one.
        translate: a sentence into the frontend's language.

    Attributes:
        activity: what is running and what went wrong; it calls the listeners.
        tumour: clicks, strokes and their undo.
        candidates: what *Find tumours* has found.
        kept: results that the scene keeps.
        reading: curves and the kinetic map.
        model, clinical, overlay: what is chosen; only the methods here change it.
        result: the prediction that is shown, or None.
        title, named: of the exam, if it was opened with one; True if reports name the patient.
    """

    def __init__(
        self, scene: ExamScene, worker: Worker, runner: ModelRunner | None = None, translate: Translate = str
    ) -> None:
        self._scene, self._translate = scene, translate
        self.runner = runner if runner is not None else ModelRunner()
        self.activity = Activity(worker, translate)
        self.tumour = Tumour(scene, self.activity, self.update)
        self.candidates = Candidates(scene, self.activity, self.tumour)
        self.model, self.clinical, self.overlay = ModelChoice(), ClinicalForm(), OverlaySettings()
        self.kept = KeptResults(scene, self.activity, self.model, self.clinical)
        self.reading = ReadingRoom(scene, self.activity, worker, self._show_map)
        self._what_if = WhatIf(self.runner, translate)
        self.result: Result | None = None
        self.title, self.named = "", False

    def problem(self) -> str | None:
        """Return why no prediction can be started, a sentence with what to do, or None."""
        _ = self._translate
        if self.activity.doing:
            return _("Wait until the running work is done, or cancel it.")
        if (problem := self._scene.problem()) is not None:
            return problem
        return None if self.model.bundle is not None else _("Choose a model that can be read.")

    @property
    def is_stale(self) -> bool:
        """True if the exam has changed since the result, or clinical values without a `hypothesis`.

        An undone stroke changes nothing.
        """
        if self.result is None or self.hypothesis is not None:
            return False
        return self._is_different_exam() or self.clinical.meaning != self.result.inputs.clinical

    @property
    def hypothesis(self) -> Hypothesis | None:
        """What the result would be with the clinical values as they are entered now, if only they have changed."""
        if self.result is None or self._is_different_exam():
            return None
        form = self.clinical
        return self._what_if.find(self.result, form.schema, form.values, form.meaning)

    @property
    def shown(self) -> Result | None:
        """The result that is shown: the hypothesis, if there is one; files are always of `result`."""
        return self.hypothesis.result if self.hypothesis is not None else self.result

    @property
    def stale(self) -> str:
        """A sentence if what is shown is stale or hypothetical, else ""."""
        if self.hypothesis is not None:
            return self._translate(
                "Hypothetical until you predict with these values; files hold the result without them."
            )
        different = self._is_different_exam()
        return describe_stale(self.result, different, self._translate) if self.result and self.is_stale else ""

    @property
    def status(self) -> str:
        """The running task, the last problem, the stale notice or the last message; "" if nothing."""
        activity = self.activity
        return f"{activity.doing}..." if activity.doing else activity.problem or self.stale or activity.message

    @property
    def exam_words(self) -> ExamWords:
        """The source of the exam in sentences, before any prediction."""
        return describe_exam(self._scene.provenance(), self.model.bundle, self._translate)

    @property
    def words(self) -> ResultWords:
        """The result in sentences."""
        hypothesis = self.hypothesis
        return describe_result(self.shown, self._translate, hypothesis.assumptions if hypothesis is not None else "")

    def open(self, read: Callable[[], Exam], title: str = "", opened: Callable[[], object] | None = None) -> bool:
        """Read an exam and open it; return False, and report it, while something else is running.

        Args:
            read: gives the exam or raises DataError; runs on the worker.
            title: of the exam.
            opened: called once it is open.
        """
        _, activity = self._translate, self.activity
        if activity.doing:
            activity.report_problem(_("Wait until the running work is done, then open the exam again."))
            return False
        work, done = partial(read_and_check, lambda: hold_phases(read())), partial(self._on_read, title, opened)
        activity.start(_("Reading the exam"), work, done, opening=title)
        return True

    def choose_model(self, path: Path | None) -> None:
        """Choose the model in a folder and ask for its clinical variables; a result of a different model is dropped."""
        before, point = self.model.bundle, self.model.point
        self.activity.forget_problem()
        self.model.choose(path)
        bundle = self.model.bundle
        if bundle is not None and before is not None and bundle.checksum == before.checksum:
            self.model.point = point
        elif self.result is not None:  # else the scene may show what it was saved with
            self.clear_result()
        self._report_unread(self.clinical.adopt(bundle.schema if bundle is not None else ClinicalSchema(())))
        self.activity.emit()

    def choose_point(self, name: str) -> None:
        """Decide at the model's operating point of that name.

        Raises:
            DataError: if there is none of that name.
        """
        if self.model.bundle is None:
            return
        self.model.point = self.model.bundle.operating_point(name)
        if self.result is not None:
            self.result = self.result.at(self.model.point)
            self.kept.keep(self.result, self.clinical.values)
        self.activity.succeed()

    def enter(self, clinical: Mapping[str, object]) -> None:
        """Take the clinical values that the user entered, see `ClinicalForm.enter`."""
        self.clinical.enter(clinical)
        self.activity.succeed()

    def set_overlay(self, settings: OverlaySettings) -> None:
        """Change how the exam and the map over it are shown; what has not changed is left as the views have it."""
        changed, self.overlay = self.overlay.changes_to(settings), settings
        if "kind" in changed:
            self._show_map()
        elif changed:
            self._scene.apply_overlay(settings, changed)
        self.activity.emit()

    def update(self) -> None:
        """Compare the exam with its last state. Call this after volumes, segment or mask change."""
        now = self._scene.fingerprint()
        if self.result is not None and (now is None or now.identity != self.result.inputs.state.identity):
            self._leave_result()
        self.tumour.update_from(now)
        if self.result is None:
            self.kept.look(now, self.choose_model, self._take_up)
        self.activity.emit()

    def predict(self) -> None:
        """Predict the exam as it is now; if that fails, everything stays as it was."""
        if self.activity.doing:  # a second click
            return
        if (problem := self.problem()) is not None:
            self.activity.report_problem(problem)
            return
        try:
            bundle = self.model.check()
            exam, state, remark = self._scene.read()
            drawn = self._scene.tumour().content
        except DataError as error:
            self.activity.report_problem(str(error))
            return
        inputs = PredictionInputs(state, drawn, self.clinical.meaning, bundle.checksum)
        exam = replace(exam, clinical=dict(self.clinical.values), dynamic=self._scene.dynamic())
        exam = separate_sides(exam)
        work = partial(predict_and_pack, self.runner, exam, bundle, self.model.device)
        self.activity.start(self._translate("Predicting"), work, partial(self._on_predicted, exam, inputs, remark))

    def intervene(self) -> None:
        """Find out what erasing the tumour and other changes of the picture do to the result, `ResultWords.matters`.

        It is that of the exam as it was predicted, with the same model.
        """
        _, result, activity = self._translate, self.result, self.activity
        if activity.doing:  # a second click
            return
        if result is None:
            activity.report_problem(_("There is no result yet; predict first."))
            return
        try:
            bundle = self.model.check(result.inputs.model)
        except DataError as error:
            activity.report_problem(str(error))
            return
        work = partial(self.runner.intervene, result.exam, bundle, result.prediction, self.model.device)
        activity.start(_("Changing the picture"), work, partial(self._on_intervened, result.inputs))

    def show_lesion(self, number: int) -> None:
        """Show values and attention of one of several lesions, by its number in the result; jump to it."""
        if self.result is not None and 0 <= number < len(self.result.prediction.lesions):
            self.result = self.result.show(number)
            self._show_map()
            self.reading.measure(self.result.current_exam)
            self._scene.jump_to(self.result.peak)
            self.activity.emit()

    def cancel(self) -> None:
        """Drop what is running, with its result."""
        self.activity.cancel()

    def clear_result(self) -> None:
        """Drop the result, in the scene, too."""
        self._scene.drop_result()
        self._leave_result()

    def _leave_result(self) -> None:
        """Show no result; one that the scene keeps stays there with its exam."""
        self.result, self.activity.message = None, ""
        self._scene.hide_prediction()
        self.activity.emit()

    def save(self, folder: Path, write: Callable[..., None], *, dicom: bool = False) -> None:
        """Write the files of the result; `write` is `outputs.write_prediction`, which a session must not import."""
        save_result(self.result, self.activity, folder, write, dicom=dicom, show_patient_id=self.named)

    def _show_map(self) -> None:
        """Show the chosen map: of the kinetics as soon as they are measured, or of the result."""
        kind, result = self.overlay.kind, self.result
        if not self.reading.show(kind):
            if result is not None:
                self._scene.show_prediction(result.exam, result.current, kind)
            else:
                self._scene.hide_prediction()
        self._scene.apply_overlay(self.overlay)

    def _is_different_exam(self) -> bool:
        return self.result is not None and not self.result.is_of(self._scene.fingerprint(), self.tumour.history.now)

    def _on_read(self, title: str, opened: Callable[[], object] | None, found: tuple[Exam, str]) -> None:
        exam, doubt = found
        self.result, self.activity.message, self.title = None, "", title
        self._scene.hide_prediction()
        self.tumour.reset()
        self._scene.open_exam(exam)
        self.reading.measure(exam)
        problems = self.clinical.begin(exam.clinical, exam.provenance.clinical_from)
        self.update()
        self._report_unread(problems, doubt)
        if opened is not None:
            opened()

    def _on_predicted(
        self, exam: Exam, inputs: PredictionInputs, remark: str, found: tuple[Prediction, Packed]
    ) -> None:
        _, now, bundle, point = self._translate, self._scene.fingerprint(), self.model.bundle, self.model.point
        if now is None or now.identity != inputs.state.identity:
            self.activity.report_problem(_("The exam was changed or deleted meanwhile; nothing is shown."))
        elif bundle is None or point is None or bundle.checksum != inputs.model:
            self.activity.report_problem(_("The model was changed meanwhile; predict again."))
        else:
            self.result = Result(exam, found[0], inputs, packed=found[1]).at(point)
            self._show_map()
            self.kept.keep(self.result, exam.clinical)
            self.reading.measure(exam)
            self.activity.message = f"{_('Done.')} {remark}".rstrip()
            self.update()

    def _on_intervened(self, inputs: PredictionInputs, found: Prediction) -> None:
        if self.result is not None and self.result.inputs is inputs:  # else it was dropped meanwhile
            self.result = self.result.with_interventions(found)
            self.kept.keep(self.result, self.result.exam.clinical)
            self.activity.message = self._translate("Done.")

    def _take_up(self, result: Result) -> None:
        """Show a result that the scene has kept."""
        self.result = result
        self._show_map()

    def _report_unread(self, values: Sequence[str], doubt: str = "") -> None:
        unread = f"{'; '.join(values)}; {self._translate('left unknown')}" if values else ""
        if problem := ". ".join(filter(None, (doubt, unread))):
            self.activity.report_problem(problem)
