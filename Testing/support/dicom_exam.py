"""Small DICOM exams in the layouts of GE, Siemens and Philips."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from support.examples import tiny_exam

STYLES = ("ge", "siemens", "philips")
EXAM = tiny_exam(size=(12, 10, 6))


def assert_refused(folder, message, **options):
    """Check that the reader refuses a folder with this message and does not reveal the patient's name."""
    with pytest.raises(DataError, match=message) as caught:
        read_dicom_exam(folder, **options)
    assert "SECRET" not in str(caught.value).upper()
    assert "\n" not in str(caught.value)


def write_dicom_exam(folder, exam, style, times=(0, 120, 400), phases=None, **tags):
    """Write the phases of an exam; `tags` replace values of every header.

    GE: one series, trigger time. Siemens: one series per phase, acquisition time. Philips: one series, temporal
    position, one acquisition time for all, and a rescale slope per phase. A tag of None is left out.
    """
    series = generate_uid()
    for number, (array, time) in enumerate(zip(phases or exam.phases, times, strict=True)):
        own = {
            "ge": {
                "Manufacturer": "GE MEDICAL SYSTEMS",
                "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
                "TriggerTime": 1000 * time,
                "AcquisitionTime": "101500.00",
            },
            "siemens": {
                "Manufacturer": "SIEMENS",
                "ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM", "DIS2D"],
                "AcquisitionTime": clock(time),
                "SeriesNumber": 5 + number,
            },
            "philips": {
                "Manufacturer": "Philips Medical Systems",
                "ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
                "TemporalPositionIdentifier": number + 1,
                "NumberOfTemporalPositions": len(times),
                "AcquisitionTime": "101500.00",
            },
        }[style]
        uid = generate_uid() if style == "siemens" else series
        slope = number + 1.0 if style == "philips" else 1.0
        for k in range(len(array)):
            instance = 1 + k + (0 if style == "siemens" else number * len(array))
            header = {"SeriesInstanceUID": uid, "SeriesNumber": 5, "InstanceNumber": instance, **own, **tags}
            write_slice(Path(folder), exam.geometry, array[k], k, slope, header)


def write_pre_apart(folder, style="siemens", exam=EXAM, description="dyn pre"):
    """Write the pre-contrast phase as a separate series before three others, which would suffice for an exam."""
    first = {"SeriesNumber": 4, "AcquisitionTime": "101000.00", "SeriesDescription": description}
    write_dicom_exam(folder / "pre", exam, style, (0,), exam.phases[:1], **first)
    later = (*EXAM.phases[1:], EXAM.late + 5)
    write_dicom_exam(folder, EXAM, style, (100, 200, 300), later, SeriesDescription="dyn post 1")


def clock(seconds):
    """Return 10:15 plus a number of seconds, as a DICOM time."""
    minutes, rest = divmod(15 * 60 + seconds, 60)
    minutes = int(minutes)
    return f"{10 + minutes // 60:02d}{minutes % 60:02d}{rest:05.2f}"


def write_slice(folder, geometry, array, k, slope, tags):
    """Write one MR image; its file name does not reveal its position."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.FrameOfReferenceUID = (f"1.2.826.0.1.3680043.8.498.{n}" for n in (1, 2))
    data.Modality, data.PatientName, data.PatientID, data.PatientAge = "MR", "Secret^Anna", "SECRET-7", "053Y"
    data.ImageType, data.SeriesDescription = ["ORIGINAL", "PRIMARY", "M"], "dyn T1"
    data.ScanningSequence, data.EchoTime, data.RepetitionTime, data.FlipAngle = "GR", "2.4", "5.1", "10"
    data.Rows, data.Columns = array.shape
    data.PixelSpacing = [geometry.spacing[1], geometry.spacing[0]]
    data.SliceThickness = geometry.spacing[2]
    data.ImageOrientationPatient = [round(float(x), 9) for x in geometry.direction[:, :2].T.ravel()]
    data.ImagePositionPatient = [round(float(x), 6) for x in geometry.to_physical(np.array([0, 0, k]))]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 1
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    if slope != 1:
        data.RescaleSlope, data.RescaleIntercept = slope, 0
    data.PixelData = np.rint(array / slope).astype(np.int16).tobytes()
    for name, value in tags.items():
        if value is None:
            delattr(data, name) if name in data else None
        else:
            setattr(data, name, value)
    folder.mkdir(parents=True, exist_ok=True)
    data.save_as(folder / f"{data.SOPInstanceUID[-12:]}", enforce_file_format=True)


def write_enhanced_exam(
    folder, exam, times=(0, 120, 400), slopes=(1, 1, 1), apart=False, series="1.2.3", header=None, **groups
):
    """Write the phases as Enhanced MR: one file with all frames, slices first, or, if `apart`, one file per phase,
    or per frame if it is "frames".

    `groups` replace functional groups of every frame; a group of None is left out. `header` adds tags to every file.
    """
    frames = [(n, k) for k in range(len(exam.pre)) for n in range(len(times))]
    parts = [[f for f in frames if f[0] == n] for n in range(len(times))] if apart else [frames]
    for part in [[f] for f in frames] if apart == "frames" else parts:
        data = _new_file(folder, EnhancedMRImageStorage)
        data.StudyInstanceUID, data.SeriesInstanceUID, data.SeriesNumber = "1.2", series, 7
        data.FrameOfReferenceUID, data.Manufacturer = "1.2.9", "Philips"
        data.Modality, data.PatientName, data.PatientID, data.PatientAge = "MR", "Secret^Anna", "SECRET-7", "053Y"
        data.SeriesDescription, data.EchoPulseSequence, data.EchoPlanarPulseSequence = "dyn T1", "GRADIENT", "NO"
        data.NumberOfFrames, data.InstanceNumber = len(part), part[0][0] + 1
        data.SharedFunctionalGroupsSequence = [_shared_groups(exam.geometry)]
        data.PerFrameFunctionalGroupsSequence = [
            _frame_groups(exam.geometry, n, k, times[n], slopes[n], groups) for n, k in part
        ]
        for name, value in (header or {}).items():
            setattr(data, name, value)
        pixels = np.stack([np.rint(exam.phases[n][k] / slopes[n]) for n, k in part]).astype(np.int16)
        _set_pixels(data, pixels)
        data.save_as(Path(folder) / f"{data.SOPInstanceUID[-12:]}", enforce_file_format=True)


def _new_file(folder, kind):
    Path(folder).mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = kind, meta.MediaStorageSOPInstanceUID
    return data


def _set_pixels(data, pixels):
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 1
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.PixelData = pixels.tobytes()


def item(**tags):
    """Return a sequence of one dataset."""
    dataset = Dataset()
    for name, value in tags.items():
        setattr(dataset, name, value)
    return [dataset]


def _shared_groups(geometry):
    shared = Dataset()
    shared.PixelMeasuresSequence = item(
        PixelSpacing=[geometry.spacing[1], geometry.spacing[0]], SliceThickness=geometry.spacing[2]
    )
    orientation = [round(float(x), 9) for x in geometry.direction[:, :2].T.ravel()]
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=orientation)
    shared.MREchoSequence = item(EffectiveEchoTime=2.4)
    shared.MRTimingAndRelatedParametersSequence = item(FlipAngle=10.0, RepetitionTime=5.1)
    shared.MRImageFrameTypeSequence = item(FrameType=["ORIGINAL", "PRIMARY", "T1", "NONE"])
    return shared


def _frame_groups(geometry, number, k, time, slope, groups):
    position = [round(float(x), 6) for x in geometry.to_physical(np.array([0, 0, k]))]
    frame = Dataset()
    own = {
        "FrameContentSequence": item(
            TemporalPositionIndex=number + 1,
            FrameAcquisitionDateTime=f"20250101{clock(time)}",
            InStackPositionNumber=k + 1,
        ),
        "PlanePositionSequence": item(ImagePositionPatient=position),
        "PixelValueTransformationSequence": item(RescaleIntercept=0, RescaleSlope=slope, RescaleType="US"),
    }
    for name, value in {**own, **groups}.items():
        if value is not None:
            setattr(frame, name, value(number, k) if callable(value) else value)
    return frame


def errors_in(path):
    """Return the errors that dciodvfy finds in a file, none if it is not installed."""
    if not shutil.which("dciodvfy"):
        return []
    errors = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace").stderr
    return [line for line in errors.splitlines() if line.startswith("Error")]
