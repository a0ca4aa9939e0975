"""A prediction as DICOM objects that a PACS can read. All refer to the series of the early phase.

tumour.dcm     Segmentation: the mask, a segment per tumour, the largest first
attention.dcm  Parametric Map: attention
evidence.dcm   Parametric Map: evidence, what each voxel adds to the logit
report.dcm     Structured Report (TID 1500): the prediction for the segment, see `report`

Who the patient is and which study it is are copied from the source, named or de-identified; nothing else of people and
places is, see `source`.

Sources: DICOM PS3.3 A.51 (Segmentation) and A.75 (Parametric Map).
"""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom

from ... import __version__
from ...errors import DataError
from ...evidence import MAP_UNIT
from ...exam import Exam
from ...extras.install import install_line
from ...lesion.colours import tumour_rgb
from ...prediction import Prediction
from ..source import WITHOUT, Sources, read_sources
from .codes import concept, laterality, own_scheme, side_of
from .origin import Origin, origin_of, origin_of_tumour
from .report import make_report

DICOM = "dicom"  # folder of them among the files of a prediction
FILES = ("tumour.dcm", "attention.dcm", "evidence.dcm", "report.dcm")
_SERIES = 9500  # number of the first series; PACS sort by it, so that results follow the scanner's series
_LONGEST_LABEL = 64  # characters, of LO
_ALGORITHM = "Not known, mask taken as it was given"
_ATTENTION = "Attention of the model, as a share of its peak"
_EVIDENCE = "What each voxel adds to the log-odds of response"
_PREDICTION = "Prediction of pathological complete response"


def write_dicom_results(exam: Exam, prediction: Prediction, folder: Path) -> None:
    """Write the objects into a folder that exists; a prediction without an evidence map has no `evidence.dcm`.

    Args:
        exam: read from DICOM, with a mask.
        prediction: of that exam.

    Raises:
        DataError: if the exam is not from DICOM, highdicom is missing, or the headers lack what the objects need.
        OSError: if a file cannot be written.
    """
    _check_installed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pydicom, about values that the standard does not allow
        sources = _read(exam)
        try:
            origin = origin_of(sources, exam, prediction)
            tumour = make_segmentation(sources, exam, origin)
            maps = _parametric_maps(sources, prediction, origin)
            report = make_report(sources, tumour, maps, prediction, identity(origin, 2, _PREDICTION))
        except (AttributeError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"the DICOM headers do not allow results in DICOM ({error}); {WITHOUT}") from None
        for name, item in zip(FILES, (tumour, *maps, *[None] * (2 - len(maps)), report), strict=True):
            if item is not None:
                item.save_as(folder / name)


def check_possible(exam: Exam) -> None:
    """Check before predicting that results in DICOM are possible, by the headers that they need.

    Raises:
        DataError: as `write_dicom_results`.
    """
    _check_installed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        _read(exam)


def _check_installed() -> None:
    try:
        import highdicom  # noqa: F401
    except ImportError:
        line = install_line("dicom")
        raise DataError(f"results in DICOM need the package highdicom; install it with: {line}") from None


def _read(exam: Exam) -> Sources:
    """Return the headers of the exam's images.

    Raises:
        DataError: if there are none, or they lack what the objects need.
    """
    if not exam.provenance.files:
        raise DataError(
            "results in DICOM need an exam that was read from DICOM, with single images or Enhanced MR as its early "
            "phase; give its folder by --dicom"
        )
    try:
        return read_sources(exam)
    except (AttributeError, ValueError, TypeError, KeyError) as error:  # of damaged headers
        if isinstance(error, DataError):
            raise
        raise DataError(f"the DICOM headers do not allow results in DICOM ({error}); {WITHOUT}") from None


def identity(origin: Origin, number: int, description: str) -> dict[str, Any]:
    """Return the attributes that identify an object in its own series, and the software that made it."""
    return {
        "series_instance_uid": origin.uid("series", number),
        "series_number": _SERIES + number,
        "sop_instance_uid": origin.uid("instance", number),
        "instance_number": 1,
        "series_description": f"{description}, research use only",
        "manufacturer": "BreastPCR",
        "manufacturer_model_name": "BreastPCR",
        "software_versions": __version__,
        "device_serial_number": "none",
    }


def write_segmentation(exam: Exam, path: Path) -> None:
    """Write the tumour alone, without a prediction, as a DICOM Segmentation.

    Args:
        exam: read from DICOM, with a mask.

    Raises:
        DataError, OSError: as `write_dicom_results`.
    """
    _check_installed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        sources = _read(exam)
        try:
            tumour = make_segmentation(sources, exam, origin_of_tumour(sources, exam))
        except (AttributeError, ValueError, TypeError, KeyError) as error:
            raise DataError(f"the DICOM headers do not allow a DICOM Segmentation ({error}); save NIfTI") from None
        tumour.save_as(path)


def make_segmentation(sources: Sources, exam: Exam, origin: Origin, tracking_uid: str | None = None) -> Any:  # noqa: ANN401  highdicom is loaded late
    """Return the Segmentation of the tumours, in the order of `Exam.lesions`.

    Args:
        origin: of the results that it belongs to.
        tracking_uid: by which a single tumour is followed over several exams; None for one of its own per tumour.
    """
    from highdicom.seg import Segmentation

    masks = [lesion.mask for lesion in exam.lesions] or [np.asarray(exam.mask)]
    names = [_as_label(lesion.name) for lesion in exam.lesions] or ["Tumour"]
    found = Segmentation(
        source_images=sources.slices,
        pixel_array=np.stack([mask != 0 for mask in masks], -1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[
            _describe_segment(sources.first, n, name, tracking_uid or origin.uid("tumour", n))
            for n, name in enumerate(names, 1)
        ],
        content_label="TUMOUR",
        **identity(origin, 0, "Tumour segmentation"),
    )
    sources.correct_references(found)
    return found


def _as_label(name: str) -> str:
    """Return a name that a DICOM value of kind LO can hold."""
    return re.sub(r"[\\\x00-\x1f]", " ", name).strip()[:_LONGEST_LABEL] or "Tumour"


def _describe_segment(source: pydicom.Dataset, number: int, name: str, tracking_uid: str) -> Any:  # noqa: ANN401
    """Describe a tumour. How the mask was drawn is not known here: from a file, by a click, by brush or mixed."""
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    tumour = SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type="MANUAL",  # would exclude an algorithm; it is replaced below
        tracking_uid=tracking_uid,
        tracking_id=name,
        anatomic_regions=[codes.SCT.Breast],
        display_color=CIELabColor.from_rgb(*(round(255 * x) for x in tumour_rgb(number - 1))),
    )
    tumour.SegmentAlgorithmType = "SEMIAUTOMATIC"
    tumour.SegmentAlgorithmName = _ALGORITHM
    if (side := laterality(source)) is not None:
        tumour.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = [CodedConcept.from_code(side)]
    return tumour


def _parametric_maps(sources: Sources, prediction: Prediction, origin: Origin) -> list[Any]:
    """Return the maps of attention and, if there is one, of evidence.

    They have every slice of the source, with zeros where the model did not look: OHIF lays frame n of a map on slice n
    of the series, so that it cannot show a map of some slices.
    """
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    attention = _Quantity(
        "ATTENTION", _ATTENTION, "Attention of a neural network, share of its peak", codes.UCUM.NoUnits, (0.0, 1.0)
    )
    maps = [_parametric_map(sources, prediction.attention, attention, identity(origin, 1, "Attention"))]
    if (values := prediction.evidence_map) is not None:
        end = max(float(np.abs(values).max()), 1e-6)
        unit = CodedConcept("{log-odds}", "UCUM", MAP_UNIT)
        evidence = _Quantity("EVIDENCE", _EVIDENCE, "Contribution to the log-odds of response", unit, (-end, end))
        maps.append(_parametric_map(sources, values, evidence, identity(origin, 3, "Evidence")))
    return maps


class _Quantity(NamedTuple):
    """The quantity of a map: label and code, explanation, meaning of the code, unit as a code, and range."""

    label: str
    explanation: str
    meaning: str
    unit: Any
    range: tuple[float, float]


def _parametric_map(sources: Sources, values: np.ndarray, quantity: _Quantity, identity: Mapping[str, Any]) -> Any:  # noqa: ANN401
    from highdicom import VOILUTTransformation
    from highdicom.pm import ParametricMap, RealWorldValueMapping

    low, high = quantity.range
    mapping = RealWorldValueMapping(
        lut_label=quantity.label,
        lut_explanation=quantity.explanation,
        unit=quantity.unit,
        value_range=quantity.range,
        slope=1.0,
        intercept=0.0,
        quantity_definition=concept(quantity.label, quantity.meaning),
    )
    # LINEAR, the default, steps in whole numbers and needs a width of 1 or more
    window = VOILUTTransformation((low + high) / 2, high - low, voi_lut_function="LINEAR_EXACT")
    found = ParametricMap(
        source_images=sources.slices,
        pixel_array=values.astype(np.float32),
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[window],
        content_label=quantity.label,
        coding_schemes=own_scheme(),
        **identity,
    )
    found.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [_anatomy(sources.first)]
    sources.correct_references(found)
    _order_frames(found)
    return found


def _order_frames(found: pydicom.Dataset) -> None:
    """Order frames of floats along the normal of the slices, right-handed; highdicom orders them the other way."""
    axes = found.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient
    frames = found.PerFrameFunctionalGroupsSequence
    corners = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames], float)
    order = np.argsort(corners @ np.cross(*np.array(axes, float).reshape(2, 3)))
    values = np.frombuffer(found.FloatPixelData, np.float32).reshape(len(frames), -1)
    found.FloatPixelData = values[order].tobytes()
    found.PerFrameFunctionalGroupsSequence = [frames[k] for k in order]
    for number, frame in enumerate(found.PerFrameFunctionalGroupsSequence, 1):
        frame.FrameContentSequence[0].DimensionIndexValues = number


def _anatomy(source: pydicom.Dataset) -> pydicom.Dataset:
    """Return the breast, on the side that the source names, else on both sides."""
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    anatomy = pydicom.Dataset()
    anatomy.AnatomicRegionSequence = [CodedConcept.from_code(codes.SCT.Breast)]
    anatomy.FrameLaterality = side_of(source) or "B"
    return anatomy
