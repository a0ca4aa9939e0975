"""The section "Tumour": segments, one-click tumour, Segment Editor, undo, size, a mask from a file and into one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from PCRPredictorLib.mrml.exam import segment_name
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from ..node_scene import NodeScene
from ..toolkit.one_click import OneClick
from ..toolkit.segment_editor import SegmentEditor
from .result import offer_dicom

MODES = {  # of `session.tumour.Tumour`, in words
    "replace": _("Replace the lesion"),
    "add": _("Add to the lesion"),
    "new": _("Begin a new lesion"),
}


class TumourControls(VTKObservationMixin):
    """Chooses and changes the tumour.

    Args:
        ui: the panel's widgets by name.
        scene: with the exam.
        session: that works on it.
    """

    def __init__(self, ui: Any, scene: NodeScene, session: Session) -> None:
        VTKObservationMixin.__init__(self)
        self._ui, self._scene, self._session = ui, scene, session
        self._listed: Any = None  # the segmentation whose segments are listed
        self._editor = SegmentEditor(ui.editorFrame, ui.editButton, scene.edit, session.update)
        self._click = OneClick(ui.clickButton, session.tumour.grow)
        field = ui.segmentationSelector
        field.connect("nodeActivated(vtkMRMLNode*)", lambda node: scene.choose({"segmentation": node}))
        for mode, text in MODES.items():
            ui.clickModeSelector.addItem(text, mode)
        ui.clickModeSelector.connect("currentIndexChanged(int)", self._choose_mode)
        ui.segmentSelector.connect("activated(int)", self._choose_segment)  # by a person; a scene that arrives is none
        ui.lesionSelector.connect("currentIndexChanged(int)", self._choose_lesion)
        for name, act in {
            "undoButton": session.tumour.undo,
            "redoButton": session.tumour.redo,
            "removeLesionButton": session.tumour.remove,
            "growAnywayButton": lambda: session.tumour.answer(True),
            "leaveButton": lambda: session.tumour.answer(False),
            "growDrawnButton": session.tumour.grow_from_drawn,
            "growBoxButton": lambda: session.tumour.grow_from_drawn(box=True),
            "findButton": session.candidates.find,
            "previousCandidateButton": lambda: session.candidates.step(-1),
            "nextCandidateButton": lambda: session.candidates.step(1),
            "acceptCandidateButton": session.candidates.accept,
            "hideCandidateButton": session.candidates.dismiss,
            "loadMaskButton": self._load,
            "saveMaskButton": self._save,
        }.items():
            getattr(ui, name).connect("clicked(bool)", lambda _checked, act=act: act())
        session.activity.on_change.append(self.update)

    def release(self) -> None:
        """Give mouse, keyboard and views back, when the module is left or the scene closes."""
        self._click.release()
        self._editor.release()

    def close(self) -> None:
        """Give everything back at the end of the module."""
        self.release()
        self._click.close()
        self.removeObservers()

    def read_parameters(self) -> None:
        """Take the least enhancement of the parameters, and look at the exam again."""
        self._session.tumour.set_enhancement(self._scene.parameters.enhancement / 100)

    def update(self) -> None:
        """Show the segments, the lesions, the question of a click, and what can be done."""
        ui, tumour, candidates = self._ui, self._session.tumour, self._session.candidates
        if self._scene.segmentation is not self._listed:
            self._observe(self._scene.segmentation)
        ui.clickButton.enabled = ui.editButton.enabled = ui.loadMaskButton.enabled = None not in self._scene.volumes
        ui.volumeLabel.text, ui.sizeLabel.text = tumour.volume, tumour.size or "-"
        ui.undoButton.enabled, ui.redoButton.enabled = tumour.history.can_undo, tumour.history.can_redo
        ui.saveMaskButton.enabled = any(lesion.snapshot.box for lesion in tumour.lesions)
        ui.questionFrame.visible, ui.questionLabel.text = bool(tumour.question), tumour.question
        ui.growAnywayButton.text, ui.leaveButton.text = tumour.answers
        ui.clickModeSelector.setCurrentIndex(ui.clickModeSelector.findData(tumour.mode))
        for button in (ui.findButton, ui.growDrawnButton, ui.growBoxButton):
            button.enabled = None not in self._scene.volumes
        ui.candidateFrame.visible, ui.candidateLabel.text = bool(candidates.words), candidates.words
        ui.acceptCandidateButton.enabled = not candidates.is_accepted
        self._update_lesions()

    def load_from(self, path: Path) -> None:
        """Put the lesions of a file in the place of the tumour."""
        from PCRPredictorLib.reading.mask import ALL, read_masks

        self._session.tumour.load(lambda geometry: read_masks(path, geometry, (ALL,)))

    def save_to(self, path: Path) -> None:
        """Write the tumour into a file."""
        from PCRPredictorLib.outputs import write_tumour  # needs packages that Slicer lacks when the panel opens

        self._session.tumour.save(path, write_tumour)

    def _load(self) -> None:
        kinds = "*.nii.gz *.nii *.nrrd *.mha *.dcm"
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), _("Load mask"), "", kinds)
        if path:
            self.load_from(Path(path))

    def _save(self) -> None:
        kinds = "NIfTI (*.nii.gz);;DICOM SEG (*.dcm)"
        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), _("Save mask"), "tumour.nii.gz", kinds)
        if path and (not path.lower().endswith(".dcm") or offer_dicom(self._session.activity)):
            self.save_to(Path(path))

    def _update_lesions(self) -> None:
        selector, tumour = self._ui.lesionSelector, self._session.tumour
        shown = [(lesion.name, lesion.key) for lesion in tumour.lesions]
        before = selector.blockSignals(True)
        if [(selector.itemText(k), selector.itemData(k)) for k in range(selector.count)] != shown:
            selector.clear()
            for text, key in shown:
                selector.addItem(text, key)
        selector.setCurrentIndex(selector.findData(tumour.active.key) if tumour.active is not None else -1)
        selector.blockSignals(before)
        for name in ("lesionSelector", "lesionLabel", "removeLesionButton"):
            getattr(self._ui, name).visible = len(shown) > 1

    def _observe(self, segmentation: Any) -> None:
        self.removeObservers()
        self._listed = segmentation
        if segmentation is not None:
            events, content = slicer.vtkSegmentation, segmentation.GetSegmentation()
            self.addObserver(content, events.SegmentAdded, self._list_segments)
            self.addObserver(content, events.SegmentRemoved, self._list_segments)
            self.addObserver(content, events.SourceRepresentationModified, lambda *_: self._session.update())  # strokes
            self.addObserver(content, events.SegmentModified, self._on_segment)
        self._list_segments()

    def _list_segments(self, *_args: object) -> None:
        selector, parameters = self._ui.segmentSelector, self._scene.parameters
        content = self._listed.GetSegmentation() if self._listed is not None else None
        keys = list(content.GetSegmentIDs()) if content is not None else []
        before = selector.blockSignals(True)
        selector.clear()
        if len(keys) > 1:
            selector.addItem(_("All segments, each a lesion"), "")
        for key in keys:
            selector.addItem(segment_name(self._listed, key), key if len(keys) > 1 else "")
        chosen = parameters.segmentId if parameters is not None else ""
        selector.setCurrentIndex(max(selector.findData(chosen), 0 if keys else -1))
        selector.blockSignals(before)
        if not slicer.mrmlScene.IsImporting():
            self._session.update()

    def _on_segment(self, *_args: object) -> None:
        """Called when a segment was imported, or has a new name, which is listed; it is known by its ID."""
        content, selector = self._listed.GetSegmentation(), self._ui.segmentSelector
        names = [segment_name(self._listed, key) for key in content.GetSegmentIDs()]
        if [selector.itemText(k) for k in range(selector.count)][-len(names) :] != names:
            self._list_segments()
        else:
            self._session.update()

    def _choose_segment(self, *_args: object) -> None:
        if self._scene.parameters is not None and not self._session.tumour.is_halfway:
            self._scene.parameters.segmentId = self._ui.segmentSelector.currentData or ""

    def _choose_lesion(self, *_args: object) -> None:
        self._session.tumour.choose(self._ui.lesionSelector.currentData)

    def _choose_mode(self, *_args: object) -> None:
        self._session.tumour.set_mode(self._ui.clickModeSelector.currentData)
