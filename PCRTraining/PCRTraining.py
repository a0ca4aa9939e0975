"""PCRTraining: check and review a cohort, train the stepwise curriculum on it, compare, and use the model."""

from __future__ import annotations

import sys

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

DOCS = "https://github.com/BreastPCR/SlicerBreastPCR/blob/main/Resources/Docs"


class PCRTraining(ScriptedLoadableModule):
    """Title, category and texts that Slicer shows."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("PCR Training")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = ["PCRPredictor"]
        parent.contributors = ["BreastPCR contributors"]
        parent.helpText = _(
            "Trains models of pathological complete response on a cohort of breast DCE-MRI exams: first global image "
            "patterns, then attention guided to the tumour, then clinical variables. Research use only."
        ) + _(
            '<p>See the <a href="{docs}/training.md">documentation</a> and the <a href="{docs}/tutorial.md">tutorial '
            "with sample data</a>.</p>"
        ).format(docs=DOCS)
        parent.acknowledgementText = _("After Caragliano et al., arXiv 2605.07561.")
        slicer.app.connect("startupCompleted()", register_layouts)


def register_layouts() -> None:
    """Tell Slicer what the numbers of our layouts mean, before a scene with one of them is loaded."""
    from PCRTrainingPanel.start_up import register_chart_layouts

    register_chart_layouts()


class PCRTrainingWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: connects its sections. The application's settings keep the folders, not the scene."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.ready = False  # the sections exist; they need Python packages that Slicer lacks

    def setup(self) -> None:
        """Called when the module is first opened."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/PCRTraining.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = PCRTrainingLogic()
        self._fit(panel)
        self._begin()

    def _fit(self, panel) -> None:
        from PCRPredictorPanel.toolkit.whole_text import WholeTexts, narrow

        narrow(slicer.util.findChildren(panel, className="QComboBox"))
        self.texts = WholeTexts(panel)

    def _begin(self) -> None:
        """Make the sections once their packages are installed; until then show where to install them."""
        from PCRPredictorPanel.dependencies import REQUIREMENTS, missing_packages

        missing = [] if self.ready else missing_packages(REQUIREMENTS)
        text = _("Python packages are missing or too old; install them in the module PCR Predictor: {names}.")
        self.ui.packagesLabel.text = text.format(names=", ".join(missing)) if missing else ""
        self.ui.packagesLabel.setVisible(bool(missing))
        for name in ("cohort", "review", "settings", "run", "results", "adapt"):
            getattr(self.ui, f"{name}Section").enabled = not missing
        if missing or self.ready:
            return
        self._make_sections()
        self.ready = True
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.on_scene_start_close)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.on_scene_end_close)
        self.settings.load()

    def _make_sections(self) -> None:
        from PCRPredictorPanel.toolkit.background import Background
        from PCRPredictorPanel.toolkit.plain_text import show_plain
        from PCRTrainingPanel.adapt_controls import AdaptControls
        from PCRTrainingPanel.cohort_controls import CohortControls
        from PCRTrainingPanel.label_controls import LabelControls
        from PCRTrainingPanel.patient_links import open_links
        from PCRTrainingPanel.results_controls import ResultsControls
        from PCRTrainingPanel.review_controls import ReviewControls
        from PCRTrainingPanel.run_controls import RunControls
        from PCRTrainingPanel.settings_form import SettingsForm

        from PCRPredictor import model_folder

        self.background = Background()
        self.cohort = CohortControls(self.ui, self.on_cohort, self.open_patient, self.show_error)
        self.review = ReviewControls(self.ui, self.cohort, self.background, self.show_error)
        self.labels = LabelControls(self.ui, self.cohort, self.background, self.show_error)
        self.settings = SettingsForm(self.ui, self.update)
        self.adapt = AdaptControls(self.ui, self.cohort, self.update, self.show_error, model_folder())
        self.run = RunControls(self.ui, self.cohort, self.settings, self.update, self.show_error)
        self.results = ResultsControls(self.ui, self.cohort, self.run, self.background, self.show_error, model_folder())
        self.ui.addDicomButton.connect("clicked(bool)", self.add_dicom)
        show_plain(self.parent)
        open_links((self.ui.cohortLabel, self.ui.patientLabel, self.ui.runLabel, self.ui.adaptLabel), self.open_patient)

    def cleanup(self) -> None:
        """Called when the module is closed or reloaded; ends a run, which can be resumed."""
        self.texts.close()
        if not self.ready:
            return
        self.review.leave()
        for section in (self.cohort, self.run, self.results, self.adapt, self.background):
            section.close()
        self.removeObservers()

    def onReload(self) -> None:
        """Reload sections and library, too, in developer mode."""
        for name in [name for name in sys.modules if name.startswith(("PCRTrainingPanel", "PCRTrainingLib"))]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self) -> None:
        """Called each time the module is opened."""
        self._begin()
        if not self.ready:
            return
        self.review.enter()
        self.adapt.refresh()
        self.run.describe()
        self.update()

    def exit(self) -> None:
        """Called each time a different module is opened; a run goes on."""
        if self.ready:
            self.review.leave()

    def on_scene_start_close(self, _caller, _event) -> None:
        """Release the editor while its nodes still exist."""
        self.review.release()

    def on_scene_end_close(self, _caller, _event) -> None:
        """Forget the nodes of the old scene."""
        self.review.forget()
        self.results.forget()

    def on_cohort(self) -> None:
        """Update the panel for a different cohort, or when its patients are known."""
        if self.review.patient_id not in self.cohort.patients:
            self.review.forget()
        self.update()

    def open_patient(self, patient_id: str) -> None:
        """Open a patient for review."""
        self.ui.reviewSection.collapsed = False
        self.cohort.select(patient_id)
        self.review.open(patient_id)

    def add_dicom(self, *_args) -> None:
        """Copy a DICOM exam into the cohort."""
        import qt

        window = slicer.util.mainWindow()
        folder = qt.QFileDialog.getExistingDirectory(window, _("Folder of a DICOM exam"))
        name = qt.QInputDialog.getText(window, _("Patient"), _("Identifier in this cohort:")) if folder else ""
        if folder and name:
            self.add_exam(folder, name)

    def add_exam(self, folder: str, patient_id: str) -> None:
        """Read a DICOM exam in the background and write its phases into the cohort."""
        from functools import partial

        from PCRTrainingLib.cohort.review import import_dicom

        note = _("{patient} added; check the cohort again.").format(patient=patient_id)

        def done(_path) -> None:
            self.ui.cohortLabel.text = note

        work = partial(import_dicom, folder, self.cohort.folder, patient_id)
        self.background.start(work, done, self.show_error)

    def update(self) -> None:
        """Enable the buttons that can be used now."""
        self.cohort.update()
        self.review.update()
        self.run.update()
        self.results.update()
        self.labels.update()
        self.adapt.update()
        self.ui.addDicomButton.enabled = self.cohort.folder is not None

    def show_error(self, problem: str | Exception, details: str = "") -> None:
        """Show one message, with details if nobody expected the error."""
        from PCRPredictorPanel.toolkit.messages import show_problem

        show_problem(problem, _("PCR Training"), details)


class PCRTrainingLogic(ScriptedLoadableModuleLogic):
    """Empty: the logic is in PCRTrainingLib, and training runs in a process of its own."""


class PCRTrainingTest(ScriptedLoadableModuleTest):
    """The test that Slicer runs on the module."""

    def runTest(self) -> None:
        """Check that presets and tooltips are there."""
        slicer.mrmlScene.Clear()
        from PCRTrainingLib.config import PRESETS
        from PCRTrainingLib.settings import OFFERED, describe_setting

        assert {"quick", "full"} <= set(PRESETS)
        assert all(describe_setting(name)["description"] for name in OFFERED)
        self.delayDisplay("Test passed")
