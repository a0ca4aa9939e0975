"""A prediction as a DICOM Structured Report, with every number, warning and setting of `report.html`.

One measurement group per tumour, of its segment, holds numbers (NUM), decision and operating point (CODE), and as text
(TEXT) the disclaimer, each warning under its own code, and the clinical values that were used.

Sources: DICOM PS3.16 TID 1500 (Measurement Report), TID 1411 (Volumetric ROI Measurements and Qualitative Evaluations).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pydicom

from ... import __version__
from ...errors import Notice
from ...evidence import UNIT, Term
from ...formatting import format_value
from ...prediction import RESEARCH_USE_ONLY, Measurements, Prediction
from ..source import Sources
from .codes import DEVICE_UID, concept, laterality, own_scheme


def make_report(
    sources: Sources,
    tumour: Any,  # noqa: ANN401  highdicom is loaded late
    maps: Sequence[Any],
    prediction: Prediction,
    identity: Mapping[str, Any],
) -> Any:  # noqa: ANN401
    """Make the report on the segments, a measurement group each.

    Args:
        sources: from `read_sources`.
        tumour: the Segmentation.
        maps: the Parametric Maps.
        identity: series, instance and device of the report.
    """
    each = [prediction, *(lesion.prediction for lesion in prediction.lesions[1:])]
    groups = [_group(sources, tumour, n, found) for n, found in enumerate(each, 1)]
    return make_document(groups, [*sources.images, tumour, *maps], identity)


def make_document(groups: Sequence[Any], evidence: Sequence[Any], identity: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Make a report of measurement groups.

    The title is that of measurements of dynamic contrast MR (CID 7021): OHIF shows the text of such a report, but of an
    Imaging Measurement Report only points and lines. There is no image library, whose many lines would come first; the
    images are among the evidence. Items are separate, so that viewers write a line each and its name before it.

    Args:
        groups: of TID 1411 or 1501.
        evidence: the objects that the report refers to.
        identity: series, instance and device of the report.
    """
    from highdicom import sr
    from pydicom.sr.codedict import codes

    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=_observer()),
        procedure_reported=sr.CodedConcept("241615005", "SCT", "Magnetic resonance imaging of breast"),
        imaging_measurements=groups,
        title=codes.DCM.DynamicContrastMRMeasurementReport,
    )
    report = sr.Comprehensive3DSR(
        evidence=evidence, content=content, is_complete=True, coding_schemes=own_scheme(), **identity
    )
    for element in report.iterall():
        if element.keyword == "ContinuityOfContent":
            element.value = "SEPARATE"
    return report


def _observer() -> Any:  # noqa: ANN401
    """Describe this version of the software; the template has no place for a version except the model name."""
    from highdicom import sr
    from pydicom.sr.codedict import codes

    device = sr.DeviceObserverIdentifyingAttributes(
        DEVICE_UID, name="BreastPCR", manufacturer_name="BreastPCR", model_name=f"BreastPCR {__version__}"
    )
    return sr.ObserverContext(codes.DCM.Device, device)


def refer_to_segment(tumour: Any, number: int, sources: Sources) -> Any:  # noqa: ANN401
    """Return the reference to a segment, and to the series that it lies on; to its images, if they are of several."""
    from highdicom import sr

    if len(sources.series) == 1:
        origin: dict[str, Any] = {"source_series": sr.SourceSeriesForSegmentation(sources.series[0])}
    else:
        origin = {"source_images": [sr.SourceImageForSegmentation.from_source_image(one) for one in sources.images]}
    return sr.ReferencedSegment(tumour.SOPClassUID, tumour.SOPInstanceUID, segment_number=number, **origin)


def _group(sources: Sources, tumour: Any, number: int, prediction: Prediction) -> Any:  # noqa: ANN401
    from highdicom import sr
    from pydicom.sr.codedict import codes

    described, model = tumour.SegmentSequence[number - 1], prediction.model
    group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(described.TrackingUID, described.TrackingID),
        referenced_segment=refer_to_segment(tumour, number, sources),
        finding_type=codes.SCT.Neoplasm,
        finding_sites=[sr.FindingSite(codes.SCT.Breast, _side(sources.first, prediction))],
        algorithm_id=sr.AlgorithmIdentification(f"BreastPCR model {model.name}", model.version),
        measurements=_measurements(prediction),
        qualitative_evaluations=_evaluations(prediction),
    )
    group[0].ContentSequence.extend(_texts(prediction))
    return group


def _side(source: pydicom.Dataset, prediction: Prediction) -> Any:  # noqa: ANN401
    """Return the side that the images name, else the one that was measured, as a code; None if unknown."""
    from pydicom.sr.codedict import codes

    measured = prediction.measurements.side if prediction.measurements else None
    return laterality(source) or {"left": codes.SCT.Left, "right": codes.SCT.Right}.get(measured or "")


def _measurements(prediction: Prediction) -> list[Any]:
    from highdicom.sr import CodedConcept, Measurement
    from pydicom.sr.codedict import codes

    tumour, attention = prediction.tumour, prediction.attention_summary
    low, high = prediction.interval
    none, percent = codes.UCUM.NoUnits, codes.UCUM.Percent
    values: tuple[tuple[Any, float, Any], ...] = (
        (concept("PCR_PROBABILITY", "Probability of pathological complete response"), prediction.probability, none),
        (concept("PCR_PROB_LOW", "Lowest probability among the model's networks"), low, none),
        (concept("PCR_PROB_HIGH", "Highest probability among the model's networks"), high, none),
        (concept("PCR_IMAGE_ALONE", "Probability without clinical values"), prediction.image_probability, none),
        (concept("PCR_THRESHOLD", "Threshold of the decision"), prediction.operating_point.threshold, none),
        (concept("ATTENTION_INSIDE", "Share of the attention inside the tumour"), attention.in_tumour, none),
        (CodedConcept("118565006", "SCT", "Volume"), tumour.volume_ml, CodedConcept("ml", "UCUM", "milliliter")),
        (concept("EARLY_ENHANCE", "Early enhancement of the tumour"), 100 * tumour.early_enhancement, percent),
        (concept("LATE_ENHANCE", "Late enhancement of the tumour"), 100 * tumour.late_enhancement, percent),
    )
    if prediction.mask_interval is not None:
        low, high = prediction.mask_interval
        values += (
            (concept("PCR_MASK_LOW", "Lowest probability among variants of the tumour mask"), low, none),
            (concept("PCR_MASK_HIGH", "Highest probability among variants of the tumour mask"), high, none),
        )
    if prediction.model.base_rate is not None:
        values += (
            (concept("PCR_BASE_RATE", "Share of the training patients with pCR"), prediction.model.base_rate, none),
        )
    values += _of_the_mask(prediction.measurements)
    return [Measurement(name=name, value=round(float(value), 6), unit=unit) for name, value, unit in values]


def _of_the_mask(measured: Measurements | None) -> tuple[tuple[Any, float, Any], ...]:
    """Return name, value and unit of what is measured on the mask, as far as it is known; see CID 7470 and 7477."""
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    if measured is None:
        return ()
    none, mm, ml = codes.UCUM.NoUnits, codes.UCUM.Millimeter, CodedConcept("ml", "UCUM", "milliliter")
    second, third = measured.across_mm
    values = (
        (CodedConcept("L0JK", "IBSI", "Maximum 3D Diameter of a Mesh"), measured.longest_mm, mm),
        (codes.SCT.Width, second, mm),
        (codes.SCT.Depth, third, mm),
        (codes.SCT.LongAxis, measured.longest_in_slice_mm, mm),
        (
            concept("FUNCTION_VOLUME", "Functional tumour volume (70 % early enhancement)"),
            measured.functional_volume_ml,
            ml,
        ),
        (CodedConcept("QCFX", "IBSI", "Sphericity"), measured.sphericity, none),
        (concept("PIECES", "Number of separate pieces of the tumour mask"), measured.pieces, none),
        (codes.DCM.DistanceFromSkin, measured.distance_to_skin_mm, mm),
        (codes.DCM.DistanceFromNipple, measured.distance_to_nipple_mm, mm),
    )
    return tuple((name, value, unit) for name, value, unit in values if value is not None)


def _evaluations(prediction: Prediction) -> list[Any]:
    """Return the decision and its operating point."""
    from highdicom.sr import QualitativeEvaluation

    decisions = {
        "pCR": concept("PCR", "Probability at or above the threshold"),
        "no pCR": concept("NO_PCR", "Probability below the threshold"),
        None: concept("WITHHELD", "No decision, see the warnings"),
    }
    point = prediction.operating_point.name
    return [
        QualitativeEvaluation(concept("DECISION", "Decision"), decisions[prediction.decision]),
        QualitativeEvaluation(concept("OPERATING_POINT", "Operating point of the decision"), concept(point, point)),
    ]


def _texts(prediction: Prediction) -> Iterable[Any]:
    """Return the texts; a warning has the code of its notice."""
    words = [(concept("DISCLAIMER", "Disclaimer"), RESEARCH_USE_ONLY)]
    if prediction.decision_withheld:
        words.append((concept("WHY_WITHHELD", "Why there is no decision"), prediction.decision_withheld))
    for patients, auc in prediction.model.auc.items():
        words.append((concept("MODEL_AUC", "AUC of the model"), f"{format_value(auc)}, {patients}"))
    words += map(as_warning, prediction.notices)
    for name, value in prediction.clinical.items():
        words.append((concept("CLINICAL_VALUE", "Clinical value used"), f"{name}: {value}"))
    for term in prediction.evidence.terms if prediction.evidence else ():
        words.append((concept("EVIDENCE_TERM", "Term of the evidence"), describe_term(term)))
    return as_texts(words)


def as_warning(notice: Notice) -> tuple[Any, str]:
    """Return code and text of a warning."""
    return concept(notice.code, f"Warning: {notice.code.replace('_', ' ')}"), notice.message


def as_texts(words: Iterable[tuple[Any, str]]) -> list[Any]:
    """Return texts as items that a measurement group contains.

    Args:
        words: code and text of each.
    """
    from highdicom.sr import RelationshipTypeValues, TextContentItem

    return [TextContentItem(name, text, RelationshipTypeValues.CONTAINS) for name, text in words]


def describe_term(term: Term) -> str:
    """Return a term of the evidence in words."""
    value = f" ({term.value})" if term.value else ""
    points = "" if term.kind == "base" else f", {term.points:+.1f} percentage points"
    return f"{term.label}{value}: {term.log_odds:+.3f} {UNIT}{points}"
