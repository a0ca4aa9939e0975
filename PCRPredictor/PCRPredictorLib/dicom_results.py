"""A prediction as DICOM objects that a PACS understands, all of them referring to the series of the early phase.

tumour.dcm     Segmentation: the mask
attention.dcm  Parametric Map: attention, on the slices that the model looked at
report.dcm     Structured Report (TID 1500): probability, volume, enhancement and attention, of the segment

Patient and study are copied from the source as they are there, named or de-identified. Codes are of SNOMED CT, UCUM and
DICOM where there is one, else of our own scheme `99BREASTPCR`.

Sources: DICOM PS3.3 A.51 (Segmentation) and A.75 (Parametric Map), PS3.16 TID 1500 (Measurement Report).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import generate_uid

from . import __version__
from .dicom_source import WITHOUT, read_sources
from .errors import DataError
from .exam import Exam
from .prediction import Prediction

SCHEME = "99BREASTPCR"
FILES = ("tumour.dcm", "attention.dcm", "report.dcm")
_SERIES = 9500  # number of the first series; PACS sort by it, after the scanner's own


def write_dicom_results(exam: Exam, prediction: Prediction, folder: Path) -> None:
    """Write the three objects into a folder that is there.

    Args:
        exam: read from DICOM, with a mask.
        prediction: of that exam.

    Raises:
        DataError: if the exam is not from DICOM, highdicom is missing, or the headers lack what the objects need.
        OSError: if a file cannot be written.
    """
    check_possible(exam)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pydicom, of values that are not as the standard wants them
        sources = read_sources(exam.provenance.files, exam.geometry)
        try:
            tumour = _segmentation(sources, np.asarray(exam.mask) != 0)
            attention = _parametric_map(sources, prediction.attention)
            report = _report(sources, tumour, attention, prediction)
        except (AttributeError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"the DICOM headers do not allow results in DICOM ({error}); {WITHOUT}") from None
        for name, item in zip(FILES, (tumour, attention, report), strict=True):
            item.save_as(folder / name)


def check_possible(exam: Exam) -> None:
    """Refuse early what cannot become DICOM.

    Raises:
        DataError: as `write_dicom_results`.
    """
    if not exam.provenance.files:
        raise DataError(
            "results in DICOM need an exam in DICOM with a file a slice; give its folder by --dicom, or convert "
            "multi-frame files first"
        )
    try:
        import highdicom  # noqa: F401
    except ImportError:
        raise DataError("results in DICOM need the package highdicom; install it by: pip install highdicom") from None


def _own(number: int, description: str) -> dict[str, Any]:
    """What identifies a new object in a series of its own."""
    return {
        "series_instance_uid": generate_uid(),
        "series_number": _SERIES + number,
        "sop_instance_uid": generate_uid(),
        "instance_number": 1,
        "manufacturer": "BreastPCR",
        "series_description": f"{description}, research use only",
    }


def _device() -> dict[str, Any]:
    return {"manufacturer_model_name": "BreastPCR", "software_versions": __version__, "device_serial_number": "none"}


def _segmentation(sources: Sequence[pydicom.Dataset], mask: np.ndarray) -> Any:  # noqa: ANN401  highdicom is loaded late
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom.sr.codedict import codes

    tumour = SegmentDescription(
        segment_number=1,
        segment_label="Tumour",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type="MANUAL",
        tracking_uid=generate_uid(),
        tracking_id="Tumour",
        anatomic_regions=[codes.SCT.Breast],
    )
    return Segmentation(
        source_images=sources,
        pixel_array=mask.astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[tumour],
        content_label="TUMOUR",
        **_own(0, "Tumour segmentation"),
        **_device(),
    )


def _parametric_map(sources: Sequence[pydicom.Dataset], attention: np.ndarray) -> Any:  # noqa: ANN401
    from highdicom.pm import ParametricMap, RealWorldValueMapping
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    looked_at = np.flatnonzero(attention.any(axis=(1, 2)))
    chosen = slice(int(looked_at[0]), int(looked_at[-1]) + 1) if len(looked_at) else slice(None)
    mapping = RealWorldValueMapping(
        lut_label="ATTENTION",
        lut_explanation="Attention of the model, as a share of its peak",
        unit=codes.UCUM.NoUnits,
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=CodedConcept("ATTENTION", SCHEME, "Attention of a neural network, share of its peak"),
    )
    found = ParametricMap(
        source_images=sources[chosen],
        pixel_array=attention[chosen].astype(np.float32),
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        window_center=0.5,
        window_width=1.0,
        content_label="ATTENTION",
        **_own(1, "Attention"),
        **_device(),
    )
    found.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [_anatomy(sources[0])]
    return found


def _anatomy(source: pydicom.Dataset) -> pydicom.Dataset:
    """The breast, on the side that the source says; both where it says none."""
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    side = str(source.get("ImageLaterality") or source.get("Laterality") or "")
    anatomy = pydicom.Dataset()
    anatomy.AnatomicRegionSequence = [CodedConcept.from_code(codes.SCT.Breast)]
    anatomy.FrameLaterality = side if side in ("L", "R") else "B"
    return anatomy


def _report(sources: Sequence[pydicom.Dataset], tumour: Any, attention: Any, prediction: Prediction) -> Any:  # noqa: ANN401
    from highdicom import sr
    from pydicom.sr.codedict import codes

    device = sr.DeviceObserverIdentifyingAttributes(uid=generate_uid(), name="BreastPCR", model_name="BreastPCR")
    observer = sr.ObserverContext(codes.DCM.Device, device)
    described = tumour.SegmentSequence[0]
    model = prediction.model
    group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(described.TrackingUID, described.TrackingID),
        referenced_segment=sr.ReferencedSegment(
            tumour.SOPClassUID,
            tumour.SOPInstanceUID,
            segment_number=1,
            source_series=sr.SourceSeriesForSegmentation(sources[0].SeriesInstanceUID),
        ),
        finding_type=codes.SCT.Neoplasm,
        algorithm_id=sr.AlgorithmIdentification(f"BreastPCR model {model.name}", model.version),
        measurements=_measurements(prediction),
        qualitative_evaluations=[
            sr.QualitativeEvaluation(_concept("DECISION", "Predicted response"), _decision(prediction)),
        ],
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=sr.CodedConcept("241615005", "SCT", "Magnetic resonance imaging of breast"),
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=list(sources),
    )
    return sr.Comprehensive3DSR(
        evidence=[tumour, attention, *sources],
        content=content,
        is_complete=True,
        **_own(2, "Prediction of pathological complete response"),
    )


def _measurements(prediction: Prediction) -> list[Any]:
    from highdicom.sr import CodedConcept, Measurement
    from pydicom.sr.codedict import codes

    tumour, attention = prediction.tumour, prediction.attention_summary
    low, high = prediction.interval
    none, percent = codes.UCUM.NoUnits, codes.UCUM.Percent
    values = (
        (_concept("PCR_PROBABILITY", "Probability of pathological complete response"), prediction.probability, none),
        (_concept("PCR_PROBABILITY_LOW", "Lowest probability among the model's networks"), low, none),
        (_concept("PCR_PROBABILITY_HIGH", "Highest probability among the model's networks"), high, none),
        (_concept("PCR_IMAGE_ALONE", "Probability without clinical values"), prediction.image_probability, none),
        (_concept("ATTENTION_INSIDE", "Share of the attention inside the tumour"), attention.in_tumour, none),
        (CodedConcept("118565006", "SCT", "Volume"), tumour.volume_ml, CodedConcept("ml", "UCUM", "milliliter")),
        (_concept("EARLY_ENHANCEMENT", "Early enhancement of the tumour"), 100 * tumour.early_enhancement, percent),
        (_concept("LATE_ENHANCEMENT", "Late enhancement of the tumour"), 100 * tumour.late_enhancement, percent),
    )
    return [Measurement(name=name, value=round(float(value), 6), unit=unit) for name, value, unit in values]


def _decision(prediction: Prediction) -> Any:  # noqa: ANN401
    return _concept("PCR" if prediction.decision == "pCR" else "NO_PCR", f"{prediction.decision} predicted")


def _concept(value: str, meaning: str) -> Any:  # noqa: ANN401
    from highdicom.sr import CodedConcept

    return CodedConcept(value, SCHEME, meaning)
