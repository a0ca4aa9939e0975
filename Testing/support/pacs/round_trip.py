"""A study from files into a PACS, out of it, and its results back into it."""

from dataclasses import dataclass
from pathlib import Path

import pydicom
from PCRPredictorLib.calls.one_exam import predict_exam
from PCRPredictorLib.pacs.predicting import StudyRequest, predict_study
from PCRPredictorLib.reading.sources import given_source
from pydicom.uid import generate_uid

from support.dicom_segmentation import write_segmentation

SERIES = [(9500, "SEG"), (9501, "attention"), (9502, "SR"), (9503, "evidence")]


@dataclass(frozen=True)
class RoundTrip:
    """What came of it.

    Args:
        from_files, from_pacs: probability of the exam as files, and as fetched.
        states: of the results the first time.
        states_again: of the results of a second prediction.
        series: numbers of the results' series in the PACS, sorted.
        faults: what is wrong with the relations of the results, in words.
    """

    from_files: float
    from_pacs: float
    states: list[str]
    states_again: list[str]
    series: list[int]
    faults: list[str]


def write_mask_beside(folder: Path, geometry, mask, path: Path, number=90) -> Path:
    """Write a segmentation into the study of the images in a folder, as a workstation would have."""
    source = pydicom.dcmread(
        next(path for path in sorted(folder.rglob("*")) if path.is_file()), stop_before_pixels=True
    )
    write_segmentation(path, geometry, {1: mask}, frame_of_reference=source.FrameOfReferenceUID)
    data = pydicom.dcmread(path)
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "StudyDescription"):
        setattr(data, name, source.get(name, ""))
    data.SeriesInstanceUID, data.SeriesNumber, data.SeriesDescription = generate_uid(), number, "tumour"
    data.save_as(path)
    return path


def make_round_trip(orthanc, connection, folder: Path, mask: Path, predictor, out: Path) -> RoundTrip:
    """Upload images and mask, predict them as files and from the PACS, and store the results twice."""
    orthanc.upload(folder)
    orthanc.upload(mask)
    study = str(pydicom.dcmread(mask, stop_before_pixels=True).StudyInstanceUID)
    exam = given_source([], folder).with_overrides(mask, {}, ()).read()
    expected = predict_exam(exam, predictor).prediction.probability
    request = StudyRequest(study=study, store=True)
    first, again = (predict_study(connection, request, predictor, out / str(n)) for n in (1, 2))
    states, states_again = ([item.state for item in found.items] for found in (first, again))
    numbers = sorted(int(one.get("SeriesNumber", 0)) for one in orthanc.series(study))
    series = [number for number in numbers if number >= 9500]
    probability = first.predicted.prediction.probability
    return RoundTrip(expected, probability, states, states_again, series, faults_of(orthanc, study, first))


def faults_of(orthanc, study: str, result) -> list[str]:
    """Return what is wrong with the results of a study in a PACS: patient, study, frame of reference, references."""
    images = set(orthanc.instances(study))
    first = orthanc.read(_an_image(orthanc, study))
    stored = [orthanc.read(item.uid) for item in result.items]
    found = []
    for data in stored:
        name = f"{data.Modality} {data.SeriesNumber}"
        if (data.StudyInstanceUID, data.PatientID) != (study, first.PatientID):
            found.append(f"{name} is of a different study or patient")
        if data.Modality != "SR" and data.FrameOfReferenceUID != first.FrameOfReferenceUID:
            found.append(f"{name} is in a different frame of reference")
        named = {str(e.value) for e in data.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
        if not named or not named <= images:
            found.append(f"{name} refers to {len(named - images)} of {len(named)} objects that are not there")
        kept = {str(e.value) for e in data.iterall() if e.keyword == "SeriesInstanceUID"} - {data.SeriesInstanceUID}
        if not kept <= {one["SeriesInstanceUID"] for one in orthanc.series(study)}:
            found.append(f"{name} refers to a series that is not there")
    if len({data.SeriesInstanceUID for data in stored}) != len(stored):
        found.append("two results are in one series")
    return found


def _an_image(orthanc, study: str) -> str:
    return orthanc.instances(study, "MR")[0]
