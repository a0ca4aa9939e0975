"""UIDs of results that follow from what the results were made of: the same prediction has the same ones.

A PACS that is sent a prediction twice stores it once, and a program that was killed after it has sent one finds that it
is there. Only what goes into a prediction counts: computed values may differ in the last digit between computers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pydicom.uid import generate_uid

from ... import __version__
from ...exam import Exam
from ...files.digest import digest
from ...prediction import Prediction
from ...response.course import Course, Visit
from ...response.prediction import ResponsePrediction
from ..source import Sources


@dataclass(frozen=True)
class Origin:
    """What results were made of, as a hash."""

    digest: str

    def uid(self, *name: object) -> str:
        """Return the UID of an object or series by its name among the results."""
        return generate_uid(entropy_srcs=[self.digest, *map(str, name)])


def origin_of_tumour(sources: Sources, exam: Exam) -> Origin:
    """Return the origin of a tumour alone."""
    return _origin("tumour", _of_images(sources), *_of_masks(exam))


def origin_of(sources: Sources, exam: Exam, prediction: Prediction) -> Origin:
    """Return the origin of the results for an exam: images, tumours, model, operating point and clinical values."""
    return _origin(
        "prediction",
        _of_images(sources),
        *exam.phases,
        *_of_masks(exam),
        prediction.model.checksum,
        prediction.operating_point.name,
        prediction.operating_point.threshold,
        sorted(prediction.clinical.items()),
        prediction.mask_interval is None,
        prediction.evidence_map is None,
        sorted(notice.code for notice in prediction.notices),
    )


def origin_of_course(course: Course, prediction: ResponsePrediction | None, sources: Iterable[Sources]) -> Origin:
    """Return the origin of a follow-up: every visit, the model and the clinical values.

    Args:
        sources: of the visits that were read from DICOM.
    """
    parts: list[object] = [*map(_of_images, sources)]
    for visit in course:
        parts += [visit.name, course.days[visit.name], *_of_visit(visit)]
    if prediction is not None:
        points = [(each.operating_point.name, each.operating_point.threshold) for each in prediction.visits]
        parts += [prediction.model.checksum, sorted(prediction.clinical.items()), points]
    return _origin("follow-up", *parts)


def _of_visit(visit: Visit) -> Iterable[object]:
    """Yield what a visit was measured on, or what is known of it without images."""
    if visit.exam is None:
        yield vars(visit.values)
        return
    yield from visit.exam.phases
    yield from _of_masks(visit.exam)


def _of_images(sources: Sources) -> object:
    """Return the images as they are named: study, series and instances, and the frames that were taken."""
    first = sources.first
    uids = [str(image.SOPInstanceUID) for image in sources.images]
    return str(first.StudyInstanceUID), str(first.SeriesInstanceUID), uids, sources.frames


def _of_masks(exam: Exam) -> Iterable[object]:
    """Yield names and voxels of the tumours."""
    if not exam.lesions:
        yield None if exam.mask is None else np.packbits(np.asarray(exam.mask) != 0)
    for lesion in exam.lesions:
        yield lesion.name
        yield np.packbits(lesion.mask != 0)


def _origin(*parts: object) -> Origin:
    """Return the hash of values and of the version."""
    return Origin(digest([__version__, *parts]))
