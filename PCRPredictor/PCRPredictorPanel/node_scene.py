"""The exam in Slicer's scene, as the panel's parameters name it: what a session works on. No widget."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

import numpy as np
import slicer
from PCRPredictorLib.errors import DataError, Notice
from PCRPredictorLib.exam import PHASE_NAMES, Dynamic, Exam, Geometry, Provenance
from PCRPredictorLib.mrml import display, layouts, nodes, segments
from PCRPredictorLib.mrml.dynamic import phases_of_sequence
from PCRPredictorLib.mrml.exam import is_resampled, phases_from_nodes, segment_name, segment_part, state_of
from PCRPredictorLib.mrml.marks import candidate
from PCRPredictorLib.mrml.node_exam import NodeExam
from PCRPredictorLib.mrml.subjects import INSTANCES, put_beside
from PCRPredictorLib.phases import guess_phases
from PCRPredictorLib.prediction import Prediction
from PCRPredictorLib.report.maps import MapOverlay
from PCRPredictorLib.session.frontend import Fingerprint, Reading
from PCRPredictorLib.session.history import LesionState, Snapshot, TumourState
from PCRPredictorLib.session.overlay import OverlaySettings
from slicer.i18n import tr as _

from .dicom_database import dynamic_of, files_of, provenance_of, seconds_of
from .node_results import NodeResults, is_in_view
from .parameters import PCRPredictorParameterNode
from .volumes import is_simulated, may_be_phase

_SOURCE = "BreastPCR.source"  # attribute of volumes that were opened from files
_PARAMETERS = {"pre": "preVolume", "early": "earlyVolume", "late": "lateVolume", "segmentation": "segmentation"}
CLICKED = _("Tumour (one click)")  # a segmentation that clicks fill; no other one is ever overwritten
_MADE = "BreastPCR.clicked"  # attribute of such a segmentation


class NodeScene:
    """An `ExamScene` of MRML nodes.

    Args:
        blocked: gives the reason why nothing can be predicted, whatever the exam, or None.

    Attributes:
        parameters: name the nodes; None while there is no scene.
        exam: as it was read last; to be forgotten with its scene.
        results: that the scene keeps.
    """

    def __init__(self, blocked: Callable[[], str | None] = lambda: None) -> None:
        self._blocked = blocked
        self.parameters: PCRPredictorParameterNode | None = None
        self.exam = NodeExam()
        self.results = NodeResults()
        self._source: tuple[tuple[str, ...], Provenance] = ((), Provenance())  # the last one, and its volumes
        self._opened: tuple[tuple[str, ...], Dynamic | None] = ((), None)  # of the last exam from files
        self._active = ""

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
    def segment_ids(self) -> list[str]:
        """The ID of the chosen segment, or of every segment if none is chosen or it is gone: each is a lesion."""
        if self.segmentation is None:
            return []
        found, chosen = list(self.segmentation.GetSegmentation().GetSegmentIDs()), self.parameters.segmentId
        return [chosen] if chosen in found else found

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
        volumes = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if may_be_phase(node)]
        found = guess_phases([node.GetName() for node in volumes], [seconds_of(node) for node in volumes])
        if found is None:
            return False
        chosen = {name: volumes[k] for name, k in zip(PHASE_NAMES, found, strict=True)}
        segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        self.choose(chosen | ({"segmentation": segmentations[0]} if len(segmentations) == 1 else {}))
        return True

    def choose_sequence(self, sequence: Any) -> None:
        """Choose the phases of a sequence; raises DataError."""
        self.choose(dict(zip(PHASE_NAMES, phases_of_sequence(sequence), strict=True)))

    def edit(self) -> tuple[Any, Any]:
        """Return the segmentation to edit, made if there is none, and the volume to show."""
        if self.segmentation is None:
            self.choose({"segmentation": self._make_segmentation()})
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
        put_beside(self.parameters.subtraction, early)
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
            self._source = key, replace(provenance_of(volumes), simulated=all(map(is_simulated, volumes)))
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
        provenance = replace(provenance, notices=(*provenance.notices, *self._about_segments()))
        exam = replace(exam, provenance=provenance)
        resampled = any(is_resampled(self.segmentation, key, self.volumes[1]) for key in self.segment_ids)
        remark = _("The segmentation is on a different grid and was resampled.") if resampled else ""
        return Reading(exam, self.fingerprint(), remark)

    def open_exam(self, exam: Exam) -> None:
        """Add an exam to the scene and choose it."""
        has_tumour = exam.mask is not None and np.any(exam.mask)
        added = (nodes.add_exam if has_tumour else nodes.add_phases)(slicer.mrmlScene, exam, share=True)
        for name in PHASE_NAMES:
            added[name].SetAttribute(_SOURCE, uuid4().hex)
        self._source = self._key(added[name] for name in PHASE_NAMES), exam.provenance
        self._opened = self._source[0], exam.dynamic
        self.choose({"segmentation": None} | added)

    def phases(self) -> tuple[Sequence[np.ndarray], Geometry]:
        """Return the voxels of the phases and their geometry; raises DataError."""
        return phases_from_nodes(dict(zip(PHASE_NAMES, self.volumes, strict=True)))

    def dynamic(self) -> Dynamic | None:
        """Return every phase: of the files or sequence that was opened, or as volumes of the phases' study."""
        volumes = self.volumes
        if None in volumes:
            return None
        return self._opened[1] if self._opened[0] == self._key(volumes) else dynamic_of(volumes)

    def tumour(self) -> TumourState:
        """Return the tumour on the grid of the phases, and where it is; raises DataError."""
        node, chosen = self.segmentation, self.parameters.segmentId
        return TumourState(self._lesions(node, self.segment_ids), (node.GetID(), chosen))

    def set_tumour(self, state: TumourState) -> None:
        """Draw the tumour as in a state, where it was then; what is new goes into a segmentation of clicks."""
        geometry = self.phases()[1]
        node, chosen = self._place_of(state)
        self.choose({"segmentation": node})
        self.parameters.segmentId = chosen
        before = {lesion.key: lesion for lesion in self._lesions(node, self.segment_ids)}
        lesions = state.lesions or (LesionState(segments.SEGMENT, segments.SEGMENT, Snapshot(geometry.shape)),)
        segments.remove_segments(node, before.keys() - {lesion.key for lesion in lesions})
        changed = [
            segments.Tumour(x.key, x.name, x.snapshot.box, x.snapshot.part) for x in lesions if before.get(x.key) != x
        ]
        segments.put_segments(node, changed, geometry, self.volumes[0])

    def active_lesion(self) -> str:
        """Return the segment that clicks change: the chosen one, or the one that was changed last."""
        return self._active if self._active in (keys := self.segment_ids) else next(iter(keys), "")

    def choose_lesion(self, key: str) -> None:
        """Let clicks change a segment."""
        self._active = key

    def jump_to(self, position: tuple[float, float, float]) -> None:
        """Centre the views on an LPS position in mm."""
        display.jump_to(slicer.mrmlScene, position)

    def show_candidate(self, name: str, mask: np.ndarray, position: tuple[float, float, float]) -> None:
        """Outline a place that may be the tumour, (k, j, i), and mark its LPS position in mm; raises DataError."""
        candidate.show_candidate(slicer.mrmlScene, mask, position, self.phases()[1], self.volumes[1], name)

    def hide_candidate(self) -> None:
        """Take that place out of the views."""
        candidate.hide_candidate(slicer.mrmlScene)

    def show_prediction(self, exam: Exam, prediction: Prediction, kind: str = "attention") -> None:
        """Lay a map over the early phase; the node of an earlier map of the exam is used again."""
        shown = self.attention or self.results.map_of(self.volumes)
        layouts.show_slices(slicer.mrmlScene)
        if shown is not None and is_in_view(shown):  # as in a scene that was saved like this
            self.exam.keep_views()
        self.parameters.attention = self.exam.show_prediction(shown, self.volumes, exam, prediction, kind)
        put_beside(self.attention, self.volumes[1])

    def show_map(self, exam: Exam, overlay: MapOverlay) -> None:
        """Lay a map that needs no prediction over the early phase."""
        self.parameters.attention = self.exam.show_map(self.attention, self.volumes, exam, overlay)

    def hide_prediction(self) -> None:
        """Take the map of the last prediction out of the views, and the subtraction out of the scene."""
        if self.attention is not None:
            self.results.hide(self.attention)
        if (subtraction := getattr(self.parameters, "subtraction", None)) is not None:
            nodes.remove(subtraction)
        if self.parameters is not None:
            self.parameters.attention = None
        self.exam.reset_views()

    def keep_result(self, text: str, title: str) -> None:
        """Keep a result with its exam, as a node that is saved with the scene."""
        phases = dict(zip(PHASE_NAMES, self.volumes, strict=True))
        self.results.keep(text, title, phases | {"segmentation": self.segmentation, "map": self.attention})

    def kept_result(self) -> str:
        """Return the result that is kept with the chosen exam, "" if none."""
        return self.results.text_of(self.volumes)

    def drop_result(self) -> None:
        """Remove the result of the chosen exam from the scene."""
        self.results.drop(self.volumes)

    def choose_result(self, identifier: str) -> None:
        """Choose the exam of a kept result."""
        self.choose(dict(zip(_PARAMETERS, self.results.exam_of(identifier), strict=True)))

    def apply_overlay(self, settings: OverlaySettings, changed: Collection[str] = ()) -> None:
        """Apply the settings to the views: those that have changed, by their names, or all."""
        rendering, values = slicer.modules.volumerendering.logic(), asdict(settings)
        display.apply_overlay(slicer.mrmlScene, self.attention, self.segmentation, rendering, **values, changed=changed)

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
        if not self.segment_ids:
            return _("The segmentation has no segment; click the tumour or edit the segmentation.")
        return None

    def _inputs(self) -> tuple[Any, ...]:
        return (*self.volumes, self.segmentation, self.segment_ids)

    def _lesions(self, node: Any, keys: Sequence[str]) -> tuple[LesionState, ...]:
        geometry = self.phases()[1]
        parts = [(key, *segment_part(node, key, geometry)) for key in keys]
        return tuple(
            LesionState(key, segment_name(node, key), Snapshot.of(part, geometry.shape, box))
            for key, box, part in parts
        )

    def _place_of(self, state: TumourState) -> tuple[Any, str]:
        """Return the segmentation of a state and the segment that is chosen in it; "" for all."""
        identifier, chosen = state.place or ("", "")
        if identifier and (node := slicer.mrmlScene.GetNodeByID(identifier)) is not None:
            return node, chosen
        node = self.segmentation
        if node is None or node.GetAttribute(_MADE) is None:
            return self._make_segmentation(), ""
        chosen = self.parameters.segmentId
        return node, chosen if {lesion.key for lesion in state.lesions} <= {chosen} else ""

    def _make_segmentation(self) -> Any:
        node = segments.add_empty_segmentation(slicer.mrmlScene, self.volumes[1], CLICKED)
        node.SetAttribute(_MADE, "made")
        put_beside(node, self.volumes[1])
        return node

    def _about_segments(self) -> list[Notice]:
        """Return a warning if only some segments are used."""
        count, used = self.segmentation.GetSegmentation().GetNumberOfSegments(), self.segment_ids
        if len(used) == count:
            return []
        text = _("Only the segment {name} of {count} segments was used as the tumour.")
        name = segment_name(self.segmentation, used[0])
        return [Notice("segments_left_aside", text.format(name=name, count=count))]
