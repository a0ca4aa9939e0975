"""PCRPredictor: load an exam, predict the response to therapy, see where the model looked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

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
RICH_LABELS = ("examNotesLabel", "modelLabel", "probabilityLabel", "evidenceLabel", "warningLabel", "keysLabel")
SHORT_WINDOW = 860  # pixels: less than a screen of 1080 leaves


class PCRPredictor(ScriptedLoadableModule):
    """The module's name, place and help in Slicer."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("PCR Predictor")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = []
        parent.contributors = ["BreastPCR contributors"]
        parent.helpText = _(
            "Predicts pathological complete response (pCR) of a breast tumour to neoadjuvant therapy, from a DCE-MRI "
            "exam and a segmentation, and shows the model's attention. Research use only; not a medical device."
        ) + _(
            '<p>See the <a href="{docs}/predictor.md">documentation</a> and the <a href="{docs}/tutorial.md">tutorial '
            "with sample data</a>.</p>"
        ).format(docs=DOCS)
        parent.acknowledgementText = _("After Caragliano et al., arXiv 2605.07561.")
        slicer.app.connect("startupCompleted()", register_sample_data)
        slicer.app.connect("startupCompleted()", register_layouts)


def register_sample_data() -> None:
    """List the phantom among Slicer's sample data."""
    from PCRPredictorPanel.sample import register_sample

    register_sample(Path(__file__).parent / "Resources" / "Icons" / "PCRPredictor.png")


def register_layouts() -> None:
    """Tell Slicer what the numbers of our layouts mean, before a scene with one of them is loaded."""
    from PCRPredictorPanel.start_up import register_own_layouts

    register_own_layouts()


class PCRPredictorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: ties its sections and the scene's parameter node to a session."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self._gui_tag = None
        self._entered = getattr(parent, "isEntered", False)  # Slicer does not enter an open module again after a reload

    def setup(self) -> None:
        """Called when the module is first opened."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/PCRPredictor.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = PCRPredictorLogic()
        self._make_sections()
        self._make_store()
        self._make_reading()
        self._make_follow_up()
        self._keep_texts_whole(panel)
        if (window := slicer.util.mainWindow()) is not None:
            self.fit_screen(window.height)
        self._observe_scene(slicer.mrmlScene)
        self.connect_parameters()
        self.models.refresh()

    def _observe_scene(self, scene) -> None:
        self.addObserver(scene, scene.StartCloseEvent, self.on_scene_start_close)
        self.addObserver(scene, scene.EndCloseEvent, self.on_scene_end_close)
        self.addObserver(scene, scene.StartImportEvent, self.on_scene_start_import)
        for event in (scene.EndImportEvent, scene.EndBatchProcessEvent):  # after the selectors have listed the nodes
            self.addObserver(scene, event, self.on_scene_settled, priority=-1.0)

    def _make_sections(self) -> None:
        from PCRPredictorLib.session.session import Session
        from PCRPredictorPanel.controls.batch import BatchControls
        from PCRPredictorPanel.controls.exam import ExamControls
        from PCRPredictorPanel.controls.model import ModelControls
        from PCRPredictorPanel.controls.overlay import OverlayControls
        from PCRPredictorPanel.controls.patient import PatientForm
        from PCRPredictorPanel.controls.result import ResultControls
        from PCRPredictorPanel.controls.setup import SetupControls
        from PCRPredictorPanel.controls.tumour import TumourControls
        from PCRPredictorPanel.node_scene import NodeScene
        from PCRPredictorPanel.toolkit.background import Background

        requirements = Path(self.resourcePath("BreastPCR-requirements.txt"))
        self.packages = SetupControls(self.ui, requirements, lambda: self.session.update())
        self.scene, self.background = NodeScene(self.packages.problem), Background()
        self.session = Session(self.scene, self.background, translate=_)
        self.exam = ExamControls(self.ui, self.scene, self.session)
        self.tumour = TumourControls(self.ui, self.scene, self.session)
        self.patient = PatientForm(self.ui, self.session)
        self.results = ResultControls(self.ui, self.scene, self.session)
        self.models = ModelControls(self.ui, model_folder(), self.session)
        self.overlay = OverlayControls(self.ui, self.scene, self.session)
        self.batch = BatchControls(self.ui, self.session)

    def fit_screen(self, height: int) -> None:
        """Close the section "Patient" in a window of less than so many pixels, so that Predict is in sight."""
        if height < SHORT_WINDOW:
            self.ui.patientSection.collapsed = True

    def _make_reading(self) -> None:
        from PCRPredictorPanel.controls.reading import ReadingControls

        part = slicer.util.loadUI(self.resourcePath("UI/Reading.ui"))
        self.ui.readingSection.layout().addWidget(part)
        self.reading = ReadingControls(slicer.util.childWidgetVariables(part), self.scene, self.session)

    def _make_store(self) -> None:
        from PCRPredictorPanel.controls.store import StoreControls

        part = slicer.util.loadUI(self.resourcePath("UI/Store.ui"))
        self.ui.resultSection.layout().addRow(part)
        self.store = StoreControls(slicer.util.childWidgetVariables(part), self.session)

    def _make_follow_up(self) -> None:
        from PCRPredictorPanel.follow_up import FollowUpPart

        part = slicer.util.loadUI(self.resourcePath("UI/FollowUp.ui"))
        self.ui.followUpSection.layout().addWidget(part)
        ui = slicer.util.childWidgetVariables(part)
        scene, session, missing = self.scene, self.session, self.packages.problem
        self.follow_up = FollowUpPart(ui, self.ui, scene, session, self.tumour, model_folder(), missing)

    def _keep_texts_whole(self, panel) -> None:
        from PCRPredictorPanel.toolkit.plain_text import show_plain
        from PCRPredictorPanel.toolkit.whole_text import WholeTexts, narrow

        show_plain(panel, RICH_LABELS)
        narrow(slicer.util.findChildren(panel, className="QComboBox"))
        self.texts = WholeTexts(panel)
        self.session.activity.on_change.append(self.texts.fit)

    def cleanup(self) -> None:
        """Called when the module is closed or reloaded."""
        self.texts.close()
        self.reading.close()
        self.tumour.close()
        self.batch.close()
        self.background.close()
        self.disconnect_parameters()
        self.removeObservers()

    def onReload(self) -> None:
        """In developer mode, reload sections and library, too."""
        for name in [name for name in sys.modules if name.startswith(("PCRPredictorPanel", "PCRPredictorLib"))]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self) -> None:
        """Called each time the module is opened."""
        self._entered = True
        self.reading.open()
        self.packages.check()
        self.connect_parameters()
        if self.scene.segmentation is None and self.scene.volumes == [None] * 3:
            self.scene.guess()

    def exit(self) -> None:
        """Called each time a different module is opened."""
        self._entered = False
        self.reading.leave()
        self.tumour.release()
        self.disconnect_parameters()

    def on_scene_start_close(self, _caller, _event) -> None:
        """Called before the scene is emptied: drop everything of it."""
        self.session.cancel()
        self.follow_up.forget_scene()
        self.reading.forget_scene()
        self.tumour.release()
        self.disconnect_parameters()
        self.scene.parameters = None
        self.scene.exam.forget()

    def on_scene_end_close(self, _caller, _event) -> None:
        """Called on the empty scene: start over, at once if this module is open, else when it is entered."""
        self.on_scene_settled(_caller, _event)
        self.session.activity.forget_problem()
        self.session.clear_result()

    def on_scene_start_import(self, _caller, _event) -> None:
        """Called before nodes of a file arrive, some of them before what they refer to: write nothing back."""
        self.tumour.release()
        self.disconnect_parameters()

    def on_scene_settled(self, _caller, _event) -> None:
        """Called when a scene was imported or a batch of changes is over: take the parameters anew."""
        if self._entered and self._gui_tag is None:
            self.connect_parameters()

    def connect_parameters(self) -> None:
        """Connect the fields to the scene's parameter node, unless nodes are arriving."""
        scene = slicer.mrmlScene
        if scene.IsImporting() or scene.IsClosing() or scene.IsBatchProcessing():
            return
        if self._gui_tag is None:
            parameters = self.scene.parameters = self.logic.getParameterNode()
            self._gui_tag = parameters.connectGui(self.ui)
            self.addObserver(parameters.parameterNode, "ModifiedEvent", self.on_parameters)
        self.overlay.apply()
        self.on_parameters()

    def disconnect_parameters(self) -> None:
        """Disconnect the fields; the session stays, as a prediction may end while a different module is open."""
        if self._gui_tag is not None:
            self.scene.parameters.disconnectGui(self._gui_tag)
            self.removeObserver(self.scene.parameters.parameterNode, "ModifiedEvent", self.on_parameters)
            self._gui_tag = None

    def on_parameters(self, _caller=None, _event=None) -> None:
        """Called when a field or the node has changed. Field signals come before: acting on them would be undone."""
        self.overlay.apply_if_changed()
        self.tumour.read_parameters()


class PCRPredictorLogic(ScriptedLoadableModuleLogic):
    """The panel's parameters; what is done with them is the session's."""

    def getParameterNode(self):
        """Return the parameters of the panel, in the scene."""
        from PCRPredictorPanel.parameters import PCRPredictorParameterNode

        return PCRPredictorParameterNode(super().getParameterNode())


class PCRPredictorTest(ScriptedLoadableModuleTest):
    """The module's own test, on the phantom, in the running Slicer."""

    def runTest(self) -> None:
        """Predict the sample, and check that attention is on the tumour."""
        self.setUp()
        from PCRPredictorLib.model.bundle import find_bundle
        from PCRPredictorLib.session.session import Session
        from PCRPredictorPanel.node_scene import NodeScene
        from PCRPredictorPanel.sample import load_sample

        self.delayDisplay("Making the sample exam")
        scene = NodeScene()
        scene.parameters = PCRPredictorLogic().getParameterNode()
        scene.choose(dict(zip(("pre", "early", "late", "segmentation"), load_sample(), strict=True)))
        session = Session(scene, SimpleNamespace(start=lambda work, done, _failed: done(work())))
        session.choose_model(find_bundle("phantom"))
        session.predict()
        assert 0 < session.result.prediction.probability < 1
        assert session.result.prediction.attention_summary.in_tumour > 0.3
        self.delayDisplay("Test passed")

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()


def model_folder() -> Path:
    """Return where a user's own models are kept; the environment variable BREASTPCR_MODELS moves it."""
    chosen = os.environ.get("BREASTPCR_MODELS")
    return Path(chosen) if chosen else Path(slicer.app.slicerUserSettingsFilePath).parent / "BreastPCR" / "Models"
