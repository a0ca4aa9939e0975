"""The visits of a patient as nodes of the scene: several sets of volumes, told apart by study or by name."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES, Exam
from PCRPredictorLib.mrml.exam import exam_from_nodes, phases_from_nodes
from PCRPredictorLib.mrml.nodes import is_own
from PCRPredictorLib.phases import guess_phases
from PCRPredictorLib.response.course import VISITS
from PCRPredictorLib.session.course.entry import VisitEntry
from PCRPredictorLib.session.course.study import Study
from slicer.i18n import tr as _

from .dicom_database import INSTANCES, files_of, provenance_of, seconds_of
from .node_scene import NodeScene

_VISIT = re.compile(r"(?<![A-Za-z0-9])T([0-3])(?![A-Za-z0-9])", re.IGNORECASE)  # in the name of a volume


def choose_again(scene: NodeScene, entry: VisitEntry) -> bool:
    """Choose the nodes of a visit, if all of them are still in the scene."""
    nodes = [slicer.mrmlScene.GetNodeByID(key) for key in entry.key or () if key]
    if len(nodes) != len(PHASE_NAMES) or None in nodes:
        return False
    identifier, segment = entry.place or ("", "")
    segmentation = slicer.mrmlScene.GetNodeByID(identifier) if identifier else None
    scene.choose(dict(zip(PHASE_NAMES, nodes, strict=True)) | {"segmentation": segmentation})
    scene.parameters.segmentId = segment
    return True


def studies_in_scene() -> list[Study]:
    """Return the exams among the volumes of the scene, one per study, in the order of time.

    Raises:
        DataError: if there is none whose phases can be told.
    """
    groups: dict[Hashable, list[Any]] = defaultdict(list)
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if not (node.IsA("vtkMRMLLabelMapVolumeNode") or is_own(node)):
            groups[_study_of(node), _visit_in(node.GetName())].append(node)
    found = [study for nodes in groups.values() if (study := _study(nodes)) is not None]
    if not found:
        raise DataError(
            _("No volumes of the scene are clearly pre-contrast, early and late; choose them under Exam instead.")
        )
    known = all(study.date is not None for study in found)
    found.sort(key=lambda study: study.date if known else study.visit or "T9")  # type: ignore[arg-type, return-value]
    return _proposed(found)


def _study(nodes: Sequence[Any]) -> Study | None:
    """Return the exam of some volumes; None if their phases cannot be told."""
    picked = guess_phases([node.GetName() for node in nodes], [seconds_of(node) for node in nodes])
    if picked is None:
        return None
    phases = dict(zip(PHASE_NAMES, (nodes[k] for k in picked), strict=True))
    try:
        exam, place = _read(phases)
    except DataError:
        return None
    names = ", ".join(node.GetName() for node in phases.values())
    key = tuple(node.GetID() for node in phases.values())
    return Study(names, _visit_in(nodes[0].GetName()), lambda: exam, _date_of(phases["pre"]), key, place)


def _read(phases: dict[str, Any]) -> tuple[Exam, Hashable]:
    """Return the exam in volume nodes, with the segmentation that was drawn on one of them; raises DataError."""
    drawn = [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if _is_drawn_on(node, phases)]
    if len(drawn) == 1:
        keys = list(drawn[0].GetSegmentation().GetSegmentIDs())
        exam, place = exam_from_nodes(*phases.values(), drawn[0], keys), (drawn[0].GetID(), "")
    else:
        arrays, geometry = phases_from_nodes(phases)
        exam, place = Exam(*arrays, geometry), None
    provenance = replace(provenance_of(list(phases.values())), files=files_of(phases["early"]))
    return replace(exam, provenance=provenance), place


def _is_drawn_on(segmentation: Any, phases: dict[str, Any]) -> bool:
    role = segmentation.GetReferenceImageGeometryReferenceRole()
    reference = segmentation.GetNodeReferenceID(role)
    return reference in {node.GetID() for node in phases.values()} and not is_own(segmentation)


def _proposed(studies: Sequence[Study]) -> list[Study]:
    """Return the studies with a visit proposed for each: the one in their names, else the next."""
    named = [study.visit for study in studies]
    if len(set(named)) == len(named) and all(named):
        return list(studies)
    return [replace(study, visit=VISITS[k] if k < len(VISITS) else "") for k, study in enumerate(studies)]


def _visit_in(name: str) -> str:
    match = _VISIT.search(name)
    return f"T{match[1]}" if match else ""


def _study_of(node: Any) -> Hashable:
    """Return what tells the study of a volume: its UID, else its place in the subject hierarchy."""
    if uid := _header_of(node, "0020,000d"):
        return uid
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    if hierarchy is None:
        return None
    return hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))


def _date_of(node: Any) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(_header_of(node, "0008,0020"), "%Y%m%d").date()
    except ValueError:
        return None


def _header_of(node: Any, tag: str) -> str:
    database = getattr(slicer, "dicomDatabase", None)
    instances = (node.GetAttribute(INSTANCES) or "").split()
    if database is None or not database.isOpen or not instances:
        return ""
    return database.instanceValue(instances[0], tag).strip()
