"""A follow-up as DICOM objects: the tumour of each visit in that visit's study, and one report of all visits.

tumour_T1.dcm   Segmentation, in the study of the visit; none for a tumour that is gone
follow_up.dcm   Structured Report (TID 1500), in the study of the last visit: a measurement group per visit

All groups have one tracking identifier, which the segments have, too, and say at which time point they are. A visit
whose tumour is gone has a group without a segment (TID 1501), which refers to its images.

Sources: DICOM PS3.16 TID 1500 (Measurement Report), TID 1501, TID 1411, TID 1502 (Time Point Context), CID 6146 (Time
Point Type), CID 280 (Longitudinal Temporal Event Type). Of the quantities, CID 218 has a code for the longest diameter,
the long axis within a slice as in RECIST. The others have codes of our own, among them the sphericity: its surface is
that of voxel faces, not the mesh of IBSI's QCFX.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import DataError, Notice
from ...exam import Exam
from ...formatting import format_value
from ...prediction import RESEARCH_USE_ONLY
from ...response.course import VISITS, WHEN, Course, Visit, VisitValues
from ...response.prediction import ResponsePrediction, VisitPrediction
from ..source import WITHOUT, Sources, read_sources
from .codes import concept, laterality
from .origin import Origin, origin_of_course
from .report import as_texts, as_warning, describe_term, make_document, refer_to_segment
from .results import check_possible, identity, make_segmentation

REPORT = "follow_up.dcm"
_TUMOUR, _TITLE, _NUMBER = "Tumour", "Follow-up of a tumour", 4


def segment_name(visit: str) -> str:
    """Return the name of the file with the tumour of a visit."""
    return f"tumour_{visit}.dcm"


@dataclass(frozen=True, eq=False)
class _Source:
    """The images of a visit and the Segmentation of its tumour, None if it is gone or has no mask."""

    images: Sources
    tumour: Any


def write_dicom_follow_up(
    course: Course, prediction: ResponsePrediction | None, folder: Path, notices: Iterable[Notice] = ()
) -> None:
    """Write the objects into a folder that exists.

    Args:
        course: measured; the last visit must have been read from DICOM. Earlier visits that were not have a group
            without images.
        prediction: of the course, None for the measurements alone.
        notices: warnings about the course.

    Raises:
        DataError: if the last visit is not from DICOM, highdicom is missing, or headers lack what the objects need.
        OSError: if a file cannot be written.
    """
    check_course_possible(course)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pydicom, about values that the standard does not allow
        try:
            exams = _from_dicom(course)
            images = {name: read_sources(exam) for name, exam in exams.items()}
            origin = origin_of_course(course, prediction, images.values())
            sources = {name: _read(images[name], exam, origin, name) for name, exam in exams.items()}
            report = _make_report(course, prediction, sources, origin, notices)
        except (AttributeError, ValueError, TypeError, KeyError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"the DICOM headers do not allow results in DICOM ({error}); {WITHOUT}") from None
        for name, source in sources.items():
            if source.tumour is not None:
                source.tumour.save_as(folder / segment_name(name))
        report.save_as(folder / REPORT)


def check_course_possible(course: Course) -> None:
    """Check that results in DICOM are possible.

    Raises:
        DataError: if the last visit is not from DICOM or highdicom is missing.
    """
    exam = course.visits[course.last].exam
    if exam is None:
        raise DataError(
            f"results in DICOM go with the last visit, {course.last}, which has no images here; give its DICOM folder, "
            f"or {WITHOUT}"
        )
    check_possible(exam)


def _from_dicom(course: Course) -> dict[str, Exam]:
    """Return the exams that were read from DICOM, by visit."""
    exams = {visit.name: visit.exam for visit in course if visit.exam is not None}
    return {name: exam for name, exam in exams.items() if exam.provenance.files}


def _read(images: Sources, exam: Exam, origin: Origin, visit: str) -> _Source:
    if not exam.has_tumour:
        return _Source(images, None)
    exam = replace(exam, lesions=())  # what is measured is one mask
    return _Source(images, make_segmentation(images, exam, Origin(origin.uid(visit)), _tracking(origin)))


def _tracking(origin: Origin) -> str:
    """Return the UID by which the tumour is followed over the visits."""
    return origin.uid("tumour")


def _make_report(
    course: Course,
    prediction: ResponsePrediction | None,
    sources: Mapping[str, _Source],
    origin: Origin,
    notices: Iterable[Notice],
) -> Any:  # noqa: ANN401  highdicom is loaded late
    after = {each.visit: each for each in prediction.visits} if prediction is not None else {}
    groups = [
        _group(visit, course, after.get(visit.name), sources.get(visit.name), _tracking(origin)) for visit in course
    ]
    groups[-1][0].ContentSequence.extend(as_texts([*map(_warning, notices), *_patient_texts(prediction)]))
    latest_first = [sources[visit.name] for visit in reversed([*course]) if visit.name in sources]
    evidence = [item for source in latest_first for item in (*source.images.images, source.tumour) if item is not None]
    return make_document(groups, evidence, identity(origin, _NUMBER, _TITLE))


def _group(visit: Visit, course: Course, after: VisitPrediction | None, source: _Source | None, tracking: str) -> Any:  # noqa: ANN401
    """Return the measurement group of a visit: of its segment, or of its images without one."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    first = source.images.first if source is not None else None
    side = laterality(first) if first is not None else None
    common: dict[str, Any] = {
        "tracking_identifier": sr.TrackingIdentifier(tracking, _TUMOUR),
        "time_point_context": _time_point(visit, course),
        "finding_type": codes.SCT.Neoplasm,
        "finding_sites": [sr.FindingSite(codes.SCT.Breast, side)],
        "measurements": [*_measurements(visit.values), *_probabilities(after)],
    }
    if source is not None and source.tumour is not None:
        segment = refer_to_segment(source.tumour, 1, source.images)
        group: Any = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **common)
    else:
        images = (
            [sr.SourceImageForMeasurementGroup.from_source_image(i) for i in source.images.images] if source else None
        )
        group = sr.MeasurementsAndQualitativeEvaluations(source_images=images, **common)
    group[0].ContentSequence.extend(as_texts(_texts(visit, after)))
    return group


def _time_point(visit: Visit, course: Course) -> Any:  # noqa: ANN401
    """Return name, type, order and day of a visit. During treatment no published type of time point fits."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    types = {"T0": codes.UMLS.Baseline, "T3": codes.SCT.PreOperative}
    day, baseline = course.days[visit.name], course.days.get(VISITS[0])
    offset = None
    if day is not None and baseline is not None:
        event = sr.CodedConcept.from_code(codes.DCM.Baseline)
        days = sr.CodedConcept("d", "UCUM", "day")
        offset = sr.LongitudinalTemporalOffsetFromEvent(day - baseline, days, event)
    return sr.TimePointContext(
        time_point=f"{visit.name}, {WHEN[visit.name]}",
        time_point_type=types.get(visit.name),
        time_point_order=VISITS.index(visit.name) + 1,
        protocol_time_point_identifier=visit.name,
        temporal_offset_from_event=offset,
    )


def _measurements(values: VisitValues) -> list[Any]:
    """Return what is known of the tumour and the background at a visit."""
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    none, ml = codes.UCUM.NoUnits, CodedConcept("ml", "UCUM", "milliliter")
    volume = concept("FUNCTION_VOLUME", "Functional tumour volume (70 % early enhancement)")
    sphericity = concept("SPHERICI_FACES", "Sphericity by the faces of the voxels")
    background = concept("BACKGR_ENHANCE", "Background enhancement of the other breast")
    return _as_measurements(
        (volume, values.functional_volume_ml, ml),
        (codes.SCT.LongAxis, values.longest_diameter_mm, codes.UCUM.Millimeter),
        (sphericity, values.sphericity, none),
        (background, values.background_enhancement_percent, codes.UCUM.Percent),
        (concept("PEAK_SER", "Peak signal enhancement ratio"), values.highest_ser, none),
    )


def _probabilities(after: VisitPrediction | None) -> list[Any]:
    from pydicom.sr.codedict import codes

    if after is None:
        return []
    none = codes.UCUM.NoUnits
    return _as_measurements(
        (concept("PCR_PROBABILITY", "Probability of pathological complete response"), after.probability, none),
        (concept("PCR_PROB_LOW", "Lowest probability among the model's fits"), after.interval[0], none),
        (concept("PCR_PROB_HIGH", "Highest probability among the model's fits"), after.interval[1], none),
        (concept("PCR_THRESHOLD", "Threshold of the decision"), after.operating_point.threshold, none),
    )


def _as_measurements(*values: tuple[Any, float | None, Any]) -> list[Any]:
    from highdicom.sr import Measurement

    known = ((name, value, unit) for name, value, unit in values if value is not None)
    return [Measurement(name=name, value=round(float(value), 6), unit=unit) for name, value, unit in known]


def _texts(visit: Visit, after: VisitPrediction | None) -> list[tuple[Any, str]]:
    """Return what is to be said of a visit: that the tumour is gone, its warnings, and the terms of the evidence."""
    words = []
    if visit.values.gone:
        words.append((concept("NO_TUMOUR_LEFT", "No tumour left"), "No tumour was marked at this visit."))
    notices = after.notices if after is not None else visit.notices
    words += map(_warning, notices)
    if after is not None:
        if after.decision_withheld:
            words.append((concept("WHY_WITHHELD", "Why there is no decision"), after.decision_withheld))
        words += [(concept("EVIDENCE_TERM", "Term of the evidence"), describe_term(t)) for t in after.evidence.terms]
    return words


def _warning(notice: Notice) -> tuple[Any, str]:
    """Return code and text of a warning; all values that were read as a limit share a code, as theirs are too long."""
    return as_warning(replace(notice, code="clipped") if notice.code.startswith("clipped_") else notice)


def _patient_texts(prediction: ResponsePrediction | None) -> list[tuple[Any, str]]:
    words = [(concept("DISCLAIMER", "Disclaimer"), RESEARCH_USE_ONLY)]
    if prediction is None:
        return words
    model = prediction.model
    words.append((concept("MODEL", "Model"), f"{model.name} {model.version}"))
    words += [(concept("MODEL_AUC", "AUC of the model"), f"{format_value(auc)}, {of}") for of, auc in model.auc.items()]
    words += [_warning(notice) for notice in prediction.notices if notice not in prediction.last.notices]
    clinical = prediction.clinical.items()
    return words + [(concept("CLINICAL_VALUE", "Clinical value used"), f"{name}: {value}") for name, value in clinical]
