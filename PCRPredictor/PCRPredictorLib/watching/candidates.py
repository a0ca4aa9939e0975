"""Which studies of a PACS are predicted, and what a prediction of them is made from."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from ..pacs.connection import Connection
from ..pacs.studies import find_instances
from ..pacs.study import Series, Study

_HERE = re.compile(r"breast|mamm|brust|sein|seno|mama|borst|piers|chest|thora|torso|trunk|axilla|body", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"\b(prostat|brain|head|skull|neuro|cereb|hypophys|pituit|orbit|spine|lumbar|cervi|abdom|liver|hepat|kidney|renal|"
    r"pancrea|pelvi|rectum|rectal|uterus|bladder|heart|cardi|knee|hip|shoulder|wrist|hand|elbow|ankle|foot|neck|extremit)",
    re.IGNORECASE,
)


def why_not(study: Study, find_tumour: bool) -> str:
    """Return why a study is not predicted, "" if it is.

    With a segmentation, a study is predicted unless its names are those of a different part of the body: only its
    images can tell whether it is DCE-MRI. Without one, its names must be those of breast DCE-MRI.

    Args:
        study: with its series.
        find_tumour: find the tumour of a study without a segmentation.
    """
    if not any(one.modality == "MR" and not one.is_ours for one in study.series):
        return "it has no MR images"
    if part := _part_elsewhere(study):
        return f"it is named as of a different part of the body ({part})"
    if study.segmentations:
        return ""
    if not find_tumour:
        return "it has no segmentation"
    return "" if study.looks_like_dce == "likely" else "its names are not those of breast DCE-MRI"


def with_counts(connection: Connection, study: Study) -> Study:
    """Return a study whose series all have a number of images; a PACS that gives none is asked for its instances.

    Raises:
        PacsError: if the PACS cannot be asked.
    """
    series = [
        one if one.images is not None else replace(one, images=len(find_instances(connection, study.uid, one.uid)))
        for one in study.series
    ]
    return replace(study, series=tuple(series))


def fingerprint(study: Study) -> str:
    """Return a hash of what a prediction may be made from: MR images and segmentations, by series and their number.

    Results of this software, reports and other series play no part.
    """
    facts = sorted((one.uid, one.images) for one in study.series if _may_be_used(one))
    return hashlib.blake2b(repr(facts).encode(), digest_size=16).hexdigest()


def images_in(study: Study) -> int:
    """Return the number of images that a prediction may be made from."""
    return sum(one.images or 0 for one in study.series if _may_be_used(one))


def _may_be_used(series: Series) -> bool:
    return series.modality in ("MR", "SEG", "") and not series.is_ours


def _part_elsewhere(study: Study) -> str:
    """Return the description or body part of a different part of the body; "" if the breast is named anywhere."""
    images = [one for one in study.series if one.modality == "MR" and not one.is_ours]
    names = [study.description, *(one.body_part for one in images)]
    if any(_HERE.search(name) for name in (*names, *(one.description for one in images))):
        return ""
    return study.without_patient(next((name for name in names if _ELSEWHERE.search(name)), ""))
