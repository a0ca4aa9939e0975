"""The exam in Slicer's scene, as the panel's parameters name it: what a session works on. No widget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

import numpy as np
import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES, Exam, Geometry, Provenance
from PCRPredictorLib.mrml import display, nodes
from PCRPredictorLib.mrml.exam import (
    functional_volume,
    is_resampled,
    phases_from_nodes,
    phases_of_sequence,
    segment_part,
    state_of,
)
from PCRPredictorLib.mrml.node_exam import NodeExam
from PCRPredictorLib.phases import guess_phases
from PCRPredictorLib.prediction import Prediction
from PCRPredictorLib.session.frontend import Fingerprint, Reading
from PCRPredictorLib.session.history import Snapshot
from PCRPredictorLib.session.overlay import OverlaySettings
from slicer.i18n import tr as _

from .dicom_database import INSTANCES, files_of, provenance_of, seconds_of
from .parameters import PCRPredictorParameterNode

_SOURCE = "BreastPCR.source"  # attribute of volumes that were opened from files
_PARAMETERS = {"pre": "preVolume", "early": "earlyVolume", "late": "lateVolume", "segmentation": "segmentation"}
CLICKED = _("Tumour (one click)")  # the segmentation that clicks fill; no other one is ever overwritten


class NodeScene:
    """An `ExamScene` of MRML nodes.

    Args:
        blocked: gives the reason why nothing can be predicted, whatever the exam, or None.

    Attributes:
        parameters: name the nodes; None while there is no scene.
        exam: as it was read last; to be forgotten with its scene.
    """

    def __init__(self, blocked: Callable[[], str | None] = lambda: None) -> None:
        self._blocked = blocked
        self.parameters: PCRPredictorParameterNode | None = None
        self.exam = NodeExam()
        self._source: tuple[tuple[str, ...], Provenance] = ((), Provenance())  # the last one, and its volumes

    @property
    def volumes(self) -> list[Any]:
        """The chosen phases; None for each that is missing."""
        return [getattr(self.parameters, _PARAMETERS[name], None) for name in PHASE_NAMES]

    @property
    def segmentation(self) -> Any:
        """The chosen segmentation, or None."""
        return getattr(self.parameters, "segmentation", None)

    @property
    def attention(self) -> Any:
        """The attention that is shown, or None."""
        return getattr(self.parameters, "attention", None)

    @property
    def segment_id(self) -> str:
        """The ID of the chosen segment; the first one's if it is gone; "" if there is none."""
        content = self.segmentation.GetSegmentation() if self.segmentation is not None else None
        if content is None or not content.GetNumberOfSegments():
            return ""
        chosen = self.parameters.segmentId
        return chosen if content.GetSegmentIndex(chosen) >= 0 else content.GetNthSegmentID(0)

    def choose(self, chosen: Mapping[str, Any]) -> None:
        """Choose nodes by "pre", "early", "late" and "segmentation".

        Set the parameters, not the selectors: with Qt 6 a selector does not report a new node that has the old
        one's name.
        """
        with slicer.util.NodeModify(self.parameters.parameterNode):
            for name, node in chosen.items():
                setattr(self.parameters, _PARAMETERS[name], node)

    def guess(self) -> bool:
        """Choose phases by names and times, and the only segmentation; return whether the phases were recognised."""
        volumes = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if _may_be_phase(node)]
        found = guess_phases([node.GetName() for node in volumes], [seconds_of(node) for node in volumes])
        if found is None:
            return False
        chosen = {name: volumes[k] for name, k in zip(PHASE_NAMES, found, strict=True)}
        segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        self.choose(chosen | ({"segmentation": segmentations[0]} if len(segmentations) == 1 else {}))
        return True

    def choose_sequence(self, sequence: Any) -> None:
        """Choose the phases of a sequence; raises DataError."""
        self.choose(dict(zip(PHASE_NAMES, phases_of_sequence(slicer.mrmlScene, sequence), strict=True)))

    def edit(self) -> tuple[Any, Any]:
        """Return the segmentation to edit, made if there is none, and the volume to show."""
        if self.segmentation is None:
            self.choose({"segmentation": nodes.add_empty_segmentation(slicer.mrmlScene, self.volumes[1], CLICKED)})
        return self.segmentation, self.subtract()

    def subtract(self, mask: np.ndarray | None = None) -> Any:
        """Return the subtraction image of the chosen phases; the early phase if they do not fit each other.

        Args:
            mask: (k, j, i) of the tumour, for grey values that suit it.
        """
        pre, early, _late = self.volumes
        try:
            self.parameters.subtraction = display.subtract_nodes(pre, early, self.parameters.subtraction, mask)
        except DataError:
            return early
        return self.parameters.subtraction

    def problem(self) -> str | None:
        """Return why the exam cannot be predicted yet, or None."""
        return self._blocked() or self._missing()

    def provenance(self) -> Provenance | None:
        """Return the source of the phases: of the files that were opened, else as the DICOM database knows it."""
        volumes = self.volumes
        if None in volumes:
            return None
        key = self._key(volumes)
        if self._source[0] != key:
            self._source = key, provenance_of(volumes)
        return self._source[1]

    def volumes_key(self) -> tuple[str | None, ...]:
        """Return the IDs of the chosen volumes."""
        return tuple(node.GetID() if node is not None else None for node in self.volumes)

    def fingerprint(self) -> Fingerprint | None:
        """Return the state of the exam, or None if it is not complete."""
        return Fingerprint.of(state_of(*self._inputs())) if self._missing() is None else None

    def read(self) -> Reading:
        """Return the exam that the nodes hold; raises DataError."""
        exam = self.exam.read(*self._inputs())
        provenance = self.provenance() or exam.provenance
        if provenance.source == exam.provenance.source:  # not of files: those of the database may be gone by now
            provenance = replace(provenance, files=files_of(self.volumes[1]))
        exam = replace(exam, provenance=provenance)
        resampled = is_resampled(self.segmentation, self.segment_id, self.volumes[1])
        remark = _("The segmentation is on a different grid and was resampled.") if resampled else ""
        return Reading(exam, self.fingerprint(), remark)

    def open_exam(self, exam: Exam) -> None:
        """Add an exam to the scene and choose it."""
        has_tumour = exam.mask is not None and np.any(exam.mask)
        added = (nodes.add_exam if has_tumour else nodes.add_phases)(slicer.mrmlScene, exam)
        for name in PHASE_NAMES:
            added[name].SetAttribute(_SOURCE, uuid4().hex)
        self._source = self._key(added[name] for name in PHASE_NAMES), exam.provenance
        self.choose({"segmentation": None} | added)

    def phases(self) -> tuple[np.ndarray, np.ndarray, Geometry]:
        """Return the voxels before contrast and early, and their geometry; raises DataError."""
        (pre, early), geometry = phases_from_nodes(dict(zip(PHASE_NAMES[:2], self.volumes[:2], strict=True)))
        return pre, early, geometry

    def tumour(self) -> Snapshot:
        """Return the tumour on the grid of the phases; raises DataError."""
        geometry = self.phases()[2]
        box, part = segment_part(self.segmentation, self.segment_id, geometry)
        return Snapshot.of(part, geometry.shape, box)

    def set_tumour(self, mask: np.ndarray) -> None:
        """Make a mask the tumour, in the segmentation of clicks."""
        pre, geometry = self.volumes[0], self.phases()[2]
        node = slicer.mrmlScene.GetFirstNodeByName(CLICKED)
        if node is None or not node.IsA("vtkMRMLSegmentationNode"):
            node = nodes.add_segmentation(slicer.mrmlScene, mask, geometry, pre, CLICKED)
        else:
            nodes.set_segment(node, mask, geometry, pre)
        self.choose({"segmentation": node})

    def functional_volume(self, enhancement: float) -> float | None:
        """Return the functional tumour volume in ml; None if the segment is empty or on a different grid."""
        self.phases()  # raises DataError unless they fit each other
        pre, early, _late = self.volumes
        return functional_volume(pre, early, self.segmentation, self.segment_id, enhancement)

    def show_prediction(self, exam: Exam, prediction: Prediction) -> None:
        """Lay the attention over the early phase; the node of an earlier prediction is used again."""
        self.parameters.attention = self.exam.show_prediction(self.attention, self.volumes, exam, prediction)

    def hide_prediction(self) -> None:
        """Take attention and subtraction of the last prediction out of the scene."""
        for node in (self.attention, getattr(self.parameters, "subtraction", None)):
            if node is not None:
                nodes.remove(node)
        self.exam.reset_views()

    def apply_overlay(self, settings: OverlaySettings) -> None:
        """Apply the settings to the views."""
        rendering = slicer.modules.volumerendering.logic()
        display.apply_overlay(slicer.mrmlScene, self.attention, self.segmentation, rendering, **asdict(settings))

    @staticmethod
    def _key(volumes: Iterable[Any]) -> tuple[str, ...]:
        """Return what distinguishes volumes from those of any other exam; IDs begin anew with each scene."""
        return tuple(f"{node.GetID()} {node.GetAttribute(_SOURCE)} {node.GetAttribute(INSTANCES)}" for node in volumes)

    def _missing(self) -> str | None:
        """Return what is not chosen yet, in a sentence with what to do, or None; looks at no voxel."""
        volumes = self.volumes
        if None in volumes:
            return _("Choose the {name} volume.").format(name=PHASE_NAMES[volumes.index(None)])
        if len(set(self.volumes_key())) < 3:
            return _("Choose three different volumes as phases.")
        if self.segmentation is None:
            return _("Choose the segmentation of the tumour, or click the tumour.")
        if not self.segment_id:
            return _("The segmentation has no segment; click the tumour or edit the segmentation.")
        return None

    def _inputs(self) -> tuple[Any, ...]:
        return (*self.volumes, self.segmentation, self.segment_id)


def _may_be_phase(node: Any) -> bool:
    return not (node.IsA("vtkMRMLLabelMapVolumeNode") or nodes.is_own(node))
