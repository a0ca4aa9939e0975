"""PCRPredictor: load an exam, predict the response to therapy, see where the model looked."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class PCRPredictor(ScriptedLoadableModule):
    """What Slicer says of the module."""

    def __init__(self, parent) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("PCR Predictor")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.dependencies = []
        parent.contributors = ["BreastPCR contributors"]
        parent.helpText = _(
            "Predicts pathological complete response of a breast tumour to therapy before surgery, from a DCE-MRI exam "
            "and a segmentation, and shows the model's attention. Research use only; not a medical device."
        )
        parent.acknowledgementText = _("After Caragliano et al., arXiv 2605.07561.")
        slicer.app.connect("startupCompleted()", register_sample_data)


def register_sample_data() -> None:
    """The phantom exam among Slicer's sample data; it is made on this computer when it is first wanted."""
    import SampleData
    from PCRPredictorPanel.sample import SAMPLE, load_sample

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="BreastPCR",
        sampleName=SAMPLE,
        thumbnailFileName=str(Path(__file__).parent / "Resources" / "Icons" / "PCRPredictor.png"),
        uris=[],  # nothing is downloaded
        fileNames=[],
        customDownloader=load_sample,
    )


@parameterNodeWrapper
class PCRPredictorParameterNode:
    """What the panel's fields hold, saved with the scene."""

    preVolume: slicer.vtkMRMLScalarVolumeNode
    earlyVolume: slicer.vtkMRMLScalarVolumeNode
    lateVolume: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    segmentId: str
    attention: slicer.vtkMRMLScalarVolumeNode
    subtraction: slicer.vtkMRMLScalarVolumeNode
    enhancement: Annotated[float, WithinRange(20, 200)] = 70
    overlayVisible: bool = True
    opacity: Annotated[float, WithinRange(0, 1)] = 0.45
    threshold: Annotated[float, WithinRange(0, 1)] = 0.15
    outlineVisible: bool = True
    legendVisible: bool = True
    renderingVisible: bool = False


class PCRPredictorWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: connects its sections, and starts a prediction."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameters = None
        self._gui_tag = None
        self._entered = getattr(parent, "isEntered", False)  # a reload enters no module that is open already

    def setup(self) -> None:
        """Called when the module is first opened."""
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/PCRPredictor.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self._make_sections()
        self.ui.predictButton.connect("clicked(bool)", self.predict)
        self.ui.cancelButton.connect("clicked(bool)", self.cancel)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.on_scene_start_close)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.on_scene_end_close)
        self.connect_parameters()
        self.models.refresh()

    def _make_sections(self) -> None:
        from PCRPredictorPanel.batch_controls import BatchControls
        from PCRPredictorPanel.exam_controls import ExamControls
        from PCRPredictorPanel.model_controls import ModelControls
        from PCRPredictorPanel.overlay_controls import OverlayControls
        from PCRPredictorPanel.result_controls import ResultControls
        from PCRPredictorPanel.setup_controls import SetupControls
        from PCRPredictorPanel.toolkit.background import Background

        self.logic = PCRPredictorLogic()
        self.background = Background()
        self.packages = SetupControls(self.ui, Path(self.resourcePath("requirements.txt")), self.update_buttons)
        self.exam = ExamControls(self.ui, self.background, self.update_buttons, self.complain)
        self.form = None
        self.results = ResultControls(self.ui, self.background, self.update_buttons, self.complain)
        self.models = ModelControls(self.ui, model_folder(), self.on_model, self.complain)
        self.overlay = OverlayControls(self.ui, lambda: self.exam.subtract(self.results.shown.exam.mask))
        self.batch = BatchControls(self.ui, self._model_path, self.open_patient, self.complain)

    def cleanup(self) -> None:
        """Called when the module is closed or reloaded."""
        self.exam.close()
        self.batch.close()
        self.background.close()
        self.disconnect_parameters()
        self.removeObservers()

    def onReload(self) -> None:
        """In developer mode: read sections and library again, too."""
        for name in [name for name in sys.modules if name.startswith(("PCRPredictorPanel", "PCRPredictorLib"))]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self) -> None:
        """Called each time the module is opened."""
        self._entered = True
        self.connect_parameters()
        if self.exam.nodes() == [None] * 4:
            self.exam.guess()
        self.packages.check()
        self.update_buttons()

    def exit(self) -> None:
        """Called each time another module is opened."""
        self._entered = False
        self.exam.leave()
        self.disconnect_parameters()

    def on_scene_start_close(self, _caller, _event) -> None:
        """Nothing of the old scene may be shown afterwards."""
        self.cancel()
        self.exam.leave()
        self.disconnect_parameters()
        self._parameters = None
        self.logic.predictor.forget()

    def on_scene_end_close(self, _caller, _event) -> None:
        """Begin anew; while another module is open, not before this one is entered again."""
        if self._entered:
            self.connect_parameters()
        self.clear_result()

    def connect_parameters(self) -> None:
        """Tie the fields to the scene's parameter node."""
        if self._gui_tag is not None:
            return
        self._parameters = self.logic.getParameterNode()
        self.exam.parameters = self.overlay.parameters = self._parameters
        self._gui_tag = self._parameters.connectGui(self.ui)
        self.addObserver(self._parameters.parameterNode, "ModifiedEvent", self.on_parameters)
        self.on_parameters()

    def disconnect_parameters(self) -> None:
        """Let the parameter node go."""
        if self._gui_tag is not None:
            self._parameters.disconnectGui(self._gui_tag)
            self.removeObserver(self._parameters.parameterNode, "ModifiedEvent", self.on_parameters)
            self._gui_tag = None  # the node stays: a prediction may end while another module is open

    def on_parameters(self, _caller=None, _event=None) -> None:
        """A field or the node has changed."""
        self.exam.update()
        self.overlay.apply()
        self.update_buttons()

    def on_model(self, bundle) -> None:
        """Another model was chosen: its clinical variables and operating points are asked for."""
        from PCRPredictorLib.clinical import ClinicalSchema
        from PCRPredictorPanel.patient_form import PatientForm

        known = self.form.values() if self.form is not None else {}
        schema = bundle.schema if bundle is not None else ClinicalSchema(())
        self.form = PatientForm(self.ui.patientForm, schema, self.update_buttons)
        self.form.keep(known)
        self.results.offer_points(bundle)
        self.update_buttons()
        self.batch.update()

    def update_buttons(self, *_args) -> None:
        """Whether a prediction can be started, and why not."""
        if self.logic is None or getattr(self, "batch", None) is None:
            return
        problem = self.exam.problem()
        if problem is None and self.models.bundle is None:
            problem = _("Choose a model that can be read.")
        problem = self.packages.problem() or problem
        if self.background.busy:
            problem = _("Wait for the prediction that is running, or cancel it.")
        self._notice_change()
        self.ui.predictButton.enabled = problem is None
        self.ui.predictButton.toolTip = problem or _("Predict the response and show the attention.")
        self.ui.cancelButton.enabled = self.background.busy
        self.ui.progressBar.visible = self.background.busy
        self.results.update()

    def _notice_change(self) -> None:
        """A result is not shown beside another exam; beside other values it says that it is not theirs."""
        if self.results.shown is None or self.background.busy:
            return
        shown, asked = self.results.shown.asked, self.asked() if self.exam.problem() is None else None
        if asked is None or [part[0] for part in asked[0]] != [part[0] for part in shown[0]]:
            self.clear_result()
        elif asked != shown:
            self.ui.statusLabel.text = _("Changed since this prediction; predict again.")

    def predict(self, *_args) -> None:
        """Predict the chosen exam off this thread."""
        from PCRPredictorLib.errors import DataError
        from PCRPredictorLib.mrml.exam import is_resampled

        nodes, asked = self.exam.nodes(), self.asked()
        try:
            bundle = self.models.check()
            exam = self.logic.predictor.read_exam(*nodes, self.exam.segment_id, self.form.values())
        except DataError as error:
            self.complain(str(error))
            self.models.refresh()
            return
        self.ui.statusLabel.text = _("Predicting...")
        work = partial(self.logic.predictor.predict, exam, bundle, self.models.device)
        resampled = is_resampled(nodes[3], self.exam.segment_id, nodes[1])
        done = partial(self.on_predicted, exam, {node.GetID(): node for node in nodes}, asked, resampled)
        self.background.start(work, done, self.on_failed)
        self.update_buttons()

    def asked(self) -> tuple:
        """What a prediction depends on; another value means that the result shown is of something else."""
        from PCRPredictorLib.mrml.exam import state_of

        bundle = self.models.bundle
        state = state_of(*self.exam.nodes(), self.exam.segment_id)
        return state, tuple(sorted(self.form.values().items())), bundle.checksum if bundle is not None else None

    def cancel(self, *_args) -> None:
        """Wait no longer."""
        if self.background.busy:
            self.background.cancel()
            self.ui.statusLabel.text = _("Cancelled.")
        self.update_buttons()

    def on_predicted(self, exam, nodes: dict, asked: tuple, resampled: bool, predicted: tuple) -> None:
        """Show a prediction, unless what it was made of is gone."""
        from PCRPredictorPanel.result_controls import Result

        prediction, image = predicted
        if any(slicer.mrmlScene.GetNodeByID(identifier) is not node for identifier, node in nodes.items()):
            self.on_failed(RuntimeError(_("A volume or the segmentation was deleted meanwhile; nothing is shown.")))
            return
        self.logic.show(self._parameters, list(nodes.values()), exam.geometry, prediction, image)
        files = self.exam.dicom_files(list(nodes.values())[1])
        exam = replace(exam, provenance=replace(exam.provenance, files=files))
        self.results.show(Result(exam, prediction, asked))
        said = _("The segmentation is on another grid and was resampled.") if resampled else ""
        self.ui.statusLabel.text = f"{_('Done.')} {said}".rstrip()
        self.overlay.show(prediction.attention_summary.peak)
        self.exam.show_volume()
        self.update_buttons()

    def on_failed(self, error: Exception) -> None:
        """Say what went wrong; the panel stays as it was."""
        self.complain(str(error))
        self.update_buttons()

    def complain(self, message: str) -> None:
        """One readable message."""
        self.ui.statusLabel.text = message
        slicer.util.errorDisplay(message, windowTitle=_("PCR Predictor"))

    def clear_result(self) -> None:
        """No result is shown any more."""
        self.results.clear()
        self.ui.statusLabel.text = ""
        self.logic.clear(self._parameters)
        self.overlay.show(None)
        self.update_buttons()

    def open_patient(self, cohort: Path, patient_id: str) -> None:
        """Load one patient of a cohort into the scene and choose it."""
        from PCRPredictorLib.reading.sources import find_source

        def read():
            return find_source(cohort, patient_id).read()

        self.background.start(read, self.on_patient_read, self.on_failed)
        self.update_buttons()

    def on_patient_read(self, exam) -> None:
        """Choose the exam's nodes and enter its clinical values."""
        from PCRPredictorLib.errors import DataError

        self.exam.choose(self.logic.add_exam(slicer.mrmlScene, exam))
        try:
            self.form.fill(exam.clinical)
        except DataError as error:
            self.complain(str(error))
        self.update_buttons()

    def _model_path(self) -> Path | None:
        return self.models.bundle.path if self.models.bundle is not None else None


class PCRPredictorLogic(ScriptedLoadableModuleLogic):
    """What the panel does to nodes; the scene is theirs."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        from PCRPredictorLib.mrml.predictor import NodePredictor

        self.predictor = NodePredictor()

    def getParameterNode(self) -> PCRPredictorParameterNode:
        """The parameters of the panel, in the scene."""
        return PCRPredictorParameterNode(super().getParameterNode())

    def clear(self, parameters: PCRPredictorParameterNode | None) -> None:
        """Take attention and subtraction of the last prediction out of the scene."""
        from PCRPredictorLib.mrml.nodes import remove

        for node in (parameters.attention, parameters.subtraction) if parameters is not None else ():
            if node is not None:
                remove(node)
        self.predictor.reset_views()

    def show(self, parameters: PCRPredictorParameterNode, nodes, geometry, prediction, image) -> None:
        """Lay the attention over the early phase; the node of an earlier prediction is used again."""
        parameters.attention = self.predictor.show_prediction(parameters.attention, nodes, geometry, prediction, image)

    def add_exam(self, scene, exam):
        """Nodes of an exam that was read from files, by name."""
        from PCRPredictorLib.mrml.nodes import add_exam

        return add_exam(scene, exam)


class PCRPredictorTest(ScriptedLoadableModuleTest):
    """The module's own test, on the phantom, in the running Slicer."""

    def runTest(self) -> None:
        """Make the sample, predict it, and look whether attention is on the tumour."""
        self.setUp()
        from PCRPredictorLib.model.bundle import find_bundle, load_bundle
        from PCRPredictorPanel.sample import load_sample

        self.delayDisplay("Making the sample exam")
        nodes = load_sample()
        logic = PCRPredictorLogic()
        exam = logic.predictor.read_exam(*nodes, nodes[3].GetSegmentation().GetNthSegmentID(0), {})
        prediction, image = logic.predictor.predict(exam, load_bundle(find_bundle("phantom")), "cpu")
        logic.show(logic.getParameterNode(), nodes, exam.geometry, prediction, image)
        assert 0 < prediction.probability < 1
        assert prediction.attention_summary.in_tumour > 0.3
        self.delayDisplay("Test passed")

    def setUp(self) -> None:
        """Begin with an empty scene."""
        slicer.mrmlScene.Clear()


def model_folder() -> Path:
    """Where a user's own models are kept; the environment variable BREASTPCR_MODELS moves it."""
    chosen = os.environ.get("BREASTPCR_MODELS")
    return Path(chosen) if chosen else Path(slicer.app.slicerUserSettingsFilePath).parent / "BreastPCR" / "Models"
