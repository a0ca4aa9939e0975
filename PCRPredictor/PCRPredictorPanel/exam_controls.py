"""The section "Exam": phases, sequence, segmentation, the one-click tumour and the Segment Editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.mrml.display import subtract_nodes
from PCRPredictorLib.mrml.exam import functional_volume, geometry_of, phases_of_sequence
from PCRPredictorLib.mrml.nodes import add_empty_segmentation, add_segmentation, is_own, set_segment
from PCRPredictorLib.phases import guess_phases
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from .toolkit.background import Background
from .toolkit.one_click import OneClick
from .toolkit.segment_editor import SegmentEditor

_PARAMETERS = {"pre": "preVolume", "early": "earlyVolume", "late": "lateVolume", "segmentation": "segmentation"}
CLICKED = _("Tumour (one click)")  # the segmentation that clicks fill; another one is never overwritten


class ExamControls(VTKObservationMixin):
    """Chooses the nodes of an exam.

    Args:
        ui: the panel's widgets by name.
        background: where a tumour is grown.
        changed: called when the segment was edited.
        complain: called with a sentence when something cannot be done.
    """

    def __init__(
        self, ui: Any, background: Background, changed: Callable[[], None], complain: Callable[[str], None]
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._ui, self._changed, self._complain = ui, changed, complain
        self.parameters: Any = None
        self._segmentation: Any = None  # whose segments are listed
        self._measured: object = None  # what the functional volume was said of
        self._editor = SegmentEditor(ui.editorFrame, ui.editButton, self._choose_edited, self.show_volume)
        for name in _PARAMETERS:
            field = getattr(ui, f"{name}Selector")
            field.connect("nodeActivated(vtkMRMLNode*)", lambda node, name=name: self.choose({name: node}))
        ui.sequenceSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._take_sequence)
        ui.segmentSelector.connect("currentIndexChanged(int)", self._choose_segment)
        ui.guessButton.connect("clicked(bool)", self._guess)
        self._click = OneClick(
            ui.clickButton,
            lambda: self.phases()[:2],
            lambda: self.parameters.enhancement / 100,
            background,
            self._take_tumour,
            complain,
        )

    @property
    def segment_id(self) -> str:
        """Of the chosen segment; empty without one."""
        return self._ui.segmentSelector.currentData or ""

    def phases(self) -> list[Any]:
        """The three chosen volumes, None where there is none."""
        return [getattr(self._ui, f"{name}Selector").currentNode() for name in PHASE_NAMES]

    def nodes(self) -> list[Any]:
        """The phases and the segmentation, None where there is none."""
        return [*self.phases(), self._ui.segmentationSelector.currentNode()]

    def choose(self, nodes: Mapping[str, Any]) -> None:
        """Choose phases and segmentation, by "pre", "early", "late" and "segmentation".

        By the parameters, which the fields follow: with Qt 6, a field does not tell of another node of the same name.
        """
        for name, node in nodes.items():
            setattr(self.parameters, _PARAMETERS[name], node)

    def problem(self) -> str | None:
        """Why the exam is not complete, in a sentence; looks at no voxel."""
        phases = self.phases()
        if None in phases:
            return _("Choose the {name} volume.").format(name=PHASE_NAMES[phases.index(None)])
        if len({node.GetID() for node in phases}) < 3:
            return _("Choose three different volumes as phases.")
        if self._ui.segmentationSelector.currentNode() is None:
            return _("Choose the segmentation of the tumour, or click the tumour.")
        if not self.segment_id:
            return _("The segmentation holds no segment; click the tumour or edit the segmentation.")
        return None

    @staticmethod
    def dicom_files(node: Any) -> tuple[Path, ...]:
        """The DICOM files that a volume was loaded from; empty where they are not known or gone."""
        database, instances = _instances(node)
        files = [Path(database.fileForInstance(instance)) for instance in instances]
        return tuple(files) if all(file.is_file() for file in files) else ()

    def leave(self) -> None:
        """Let go of views and shortcuts, when the module is left or the scene closes."""
        self._click.release()
        self._editor.release()

    def close(self) -> None:
        """For the end of the module."""
        self.leave()
        self._click.close()
        self.removeObservers()

    def update(self) -> None:
        """The parameters have changed; the widgets' own signals come before that, and would be undone by it."""
        if self.parameters.segmentation is not self._segmentation:
            self._choose_segmentation()
        self._ui.clickButton.enabled = self._ui.editButton.enabled = None not in self.phases()
        measured = (*map(id, self.nodes()), self.segment_id, self.parameters.enhancement)
        if measured != self._measured:
            self._measured = measured
            self.show_volume()

    def show_volume(self) -> None:
        """The functional tumour volume of the chosen segment."""
        pre, early, _late, segmentation = self.nodes()
        text = "-"
        if None not in (pre, early, segmentation) and self.segment_id:
            try:
                share = self.parameters.enhancement / 100
                volume = functional_volume(pre, early, segmentation, self.segment_id, share)
                text = "-" if volume is None else f"{volume:.1f} ml"
            except (DataError, IndexError, AttributeError):
                text = "-"  # the prediction says what is wrong with the volumes
        self._ui.volumeLabel.text = text

    def subtract(self, mask: Any = None) -> Any:
        """The subtraction image of the chosen phases; the early phase where they do not fit each other.

        Args:
            mask: of the tumour, for grey values that suit it.
        """
        pre, early, _late = self.phases()
        try:
            self.parameters.subtraction = subtract_nodes(pre, early, self.parameters.subtraction, mask)
        except DataError:
            return early
        return self.parameters.subtraction

    def guess(self, *_args: object) -> bool:
        """Choose phases by names and times, and the only segmentation; whether the phases could be told apart."""
        nodes = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if _may_be_phase(node)]
        found = guess_phases([node.GetName() for node in nodes], [_seconds(node) for node in nodes])
        if found is None:
            return False
        self.choose({name: nodes[k] for name, k in zip(PHASE_NAMES, found, strict=True)})
        segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if len(segmentations) == 1:
            self.choose({"segmentation": segmentations[0]})
        return True

    def _guess(self, *_args: object) -> None:
        if not self.guess():
            self._complain(_("The phases cannot be told from the volumes' names and times; choose them."))

    def _take_sequence(self, *_args: object) -> None:
        sequence = self._ui.sequenceSelector.currentNode()
        if sequence is None:
            return
        try:
            phases = phases_of_sequence(slicer.mrmlScene, sequence)
        except DataError as error:
            self._complain(str(error))
            return
        self.choose(dict(zip(PHASE_NAMES, phases, strict=True)))

    def _choose_segmentation(self) -> None:
        self.removeObservers(self._list_segments)
        self.removeObservers(self._take_edit)
        node = self._segmentation = self.parameters.segmentation
        if node is not None:
            for event in (slicer.vtkSegmentation.SegmentAdded, slicer.vtkSegmentation.SegmentRemoved):
                self.addObserver(node.GetSegmentation(), event, self._list_segments)
            edited = slicer.vtkSegmentation.SourceRepresentationModified
            self.addObserver(node.GetSegmentation(), edited, self._take_edit)
        self._list_segments()

    def _take_edit(self, *_args: object) -> None:
        self.show_volume()
        self._changed()

    def _list_segments(self, *_args: object) -> None:
        selector, node = self._ui.segmentSelector, self._segmentation
        before, wanted = selector.blockSignals(True), self.parameters.segmentId if self.parameters else ""
        selector.clear()
        segmentation = node.GetSegmentation() if node is not None else None
        for k in range(segmentation.GetNumberOfSegments() if segmentation else 0):
            identifier = segmentation.GetNthSegmentID(k)
            selector.addItem(segmentation.GetSegment(identifier).GetName(), identifier)
        selector.setCurrentIndex(max(selector.findData(wanted), 0) if selector.count else -1)
        selector.blockSignals(before)
        self._choose_segment()

    def _choose_segment(self, *_args: object) -> None:
        if self.parameters is not None:
            self.parameters.segmentId = self.segment_id

    def _take_tumour(self, reference: Any, mask: Any) -> None:
        node = slicer.mrmlScene.GetFirstNodeByName(CLICKED)
        geometry = geometry_of(reference)
        if node is None or not node.IsA("vtkMRMLSegmentationNode"):
            node = add_segmentation(slicer.mrmlScene, mask, geometry, reference, CLICKED)
        else:
            set_segment(node, mask, geometry, reference)
        self.choose({"segmentation": node})
        self._list_segments()

    def _choose_edited(self) -> tuple[Any, Any]:
        """Return the segmentation to edit and the volume to show."""
        early = self.phases()[1]
        segmentation = self._ui.segmentationSelector.currentNode()
        if segmentation is None:
            segmentation = add_empty_segmentation(slicer.mrmlScene, early, CLICKED)
            self.choose({"segmentation": segmentation})
        return segmentation, self.subtract()


def _may_be_phase(node: Any) -> bool:
    return not (node.IsA("vtkMRMLLabelMapVolumeNode") or is_own(node))


def _instances(node: Any) -> tuple[Any, list[str]]:
    """Slicer's DICOM database, and which of its instances a volume was loaded from; none where that is unknown."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        return None, []
    return database, (node.GetAttribute("DICOM.instanceUIDs") or "").split()


def _seconds(node: Any) -> float | None:
    """When a volume was acquired, from the first of its DICOM files; None where unknown."""
    database, instances = _instances(node)
    if not instances:
        return None
    text = database.instanceValue(instances[0], "0008,0032").strip()
    if len(text) < 6 or not text[:6].isdigit():
        return None
    return 3600.0 * int(text[:2]) + 60.0 * int(text[2:4]) + float(text[4:])
