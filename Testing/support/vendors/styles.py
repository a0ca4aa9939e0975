"""A whole dynamic acquisition, written as the scanners of several vendors write it, and as people hand it on."""

import random
from dataclasses import dataclass

import numpy as np
import pydicom
import SimpleITK as sitk
from PCRPredictorLib.exam import Geometry

from support.dicom_exam import clock, write_dicom_exam, write_enhanced_exam

PHILIPS = "Philips MR Imaging DD 001"


@dataclass(frozen=True, eq=False)
class Acquisition:
    """All phases of an exam.

    Args:
        phases: (k, j, i) each, int16.
        geometry: that they share.
        times: of each phase in s, from 0.
    """

    phases: tuple[np.ndarray, ...]
    geometry: Geometry
    times: tuple[float, ...]

    @property
    def pre(self):
        return self.phases[0]

    def write(self, folder, style, **tags):
        write_dicom_exam(folder, self, style, self.times, self.phases, **tags)

    def write_enhanced(self, folder, apart):
        write_enhanced_exam(folder, self, self.times, (1,) * len(self.phases), apart)


def write_ge(folder, acquisition):
    """One series; trigger times."""
    acquisition.write(folder, "ge")


def write_ge_apart(folder, acquisition):
    """A series with the pre-contrast phase; one with the others, whose trigger times start with it."""
    first, times = acquisition.times[1], acquisition.times[1:]
    one, rest = (acquisition.phases[:1], (0,)), (acquisition.phases[1:], tuple(time - first for time in times))
    for number, start, (phases, delays) in ((3, 0, one), (7, first, rest)):
        tags = {"SeriesNumber": number, "AcquisitionTime": clock(start)}
        write_dicom_exam(folder, acquisition, "ge", delays, phases, **tags)


def write_siemens(folder, acquisition):
    """A series per phase; acquisition times."""
    acquisition.write(folder, "siemens")


def write_philips(folder, acquisition):
    """One series; temporal positions, one acquisition time, and the private clock of the dynamics."""
    acquisition.write(folder, "philips")
    for file in folder.iterdir():
        data = pydicom.dcmread(file)
        number = data.TemporalPositionIdentifier - 1
        data.RescaleSlope, data.RescaleIntercept = "1", "0"
        data.PixelData = acquisition.phases[number][_slice_of(data, acquisition.geometry)].tobytes()
        data.private_block(0x2005, PHILIPS, create=True).add_new(0xA0, "FL", acquisition.times[number])
        data.save_as(file)


def write_canon(folder, acquisition):
    """A series per slice position, with that slice of every phase."""
    acquisition.write(folder, "siemens", Manufacturer="CANON_MEC", SeriesNumber=4)
    for file in folder.iterdir():
        data = pydicom.dcmread(file)
        data.SeriesInstanceUID = f"1.2.392.200036.{_slice_of(data, acquisition.geometry) + 1}"
        data.save_as(file)


def write_enhanced(folder, acquisition):
    """Enhanced MR, all phases in one file."""
    acquisition.write_enhanced(folder, apart=False)


def write_enhanced_phases(folder, acquisition):
    """Enhanced MR, one file per phase."""
    acquisition.write_enhanced(folder, apart=True)


def write_enhanced_frames(folder, acquisition):
    """Enhanced MR, one frame per file."""
    acquisition.write_enhanced(folder, apart="frames")


def write_shifted_dates(folder, acquisition):
    """A series per phase, each moved to a different day by a de-identifier that keeps the times of day."""
    acquisition.write(folder, "siemens")
    for file in folder.iterdir():
        data = pydicom.dcmread(file)
        day = f"199001{10 + 3 * (data.SeriesNumber % 5):02d}"
        data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = day
        data.AcquisitionDateTime = day + data.AcquisitionTime
        data.save_as(file)


def write_shuffled(folder, acquisition):
    """A series per phase; files with meaningless names in meaningless folders, instance numbers without order."""
    acquisition.write(folder, "siemens")
    chance = random.Random(1)
    files = sorted(folder.iterdir())
    names = list(range(len(files)))
    chance.shuffle(names)
    for file, name in zip(files, names, strict=True):
        data = pydicom.dcmread(file)
        data.InstanceNumber = chance.randrange(1, 10_000)
        place = folder / f"part {name % 3}" / f"I{name:05d}"
        place.parent.mkdir(exist_ok=True)
        data.save_as(place)
        file.unlink()


DICOM_STYLES = {
    writer.__name__.removeprefix("write_").replace("_", " "): writer
    for writer in (
        write_ge,
        write_ge_apart,
        write_siemens,
        write_philips,
        write_canon,
        write_enhanced,
        write_enhanced_phases,
        write_enhanced_frames,
        write_shifted_dates,
        write_shuffled,
    )
}


def write_series_file(file, acquisition):
    """Write all phases as one file with four axes, NIfTI or NRRD."""
    images = [sitk.GetImageFromArray(phase) for phase in acquisition.phases]
    for image in images:
        image.SetSpacing(acquisition.geometry.spacing)
        image.SetOrigin(acquisition.geometry.origin)
        image.SetDirection(acquisition.geometry.direction.ravel().tolist())
    sitk.WriteImage(sitk.JoinSeries(images), file)
    return file


def _slice_of(data, geometry):
    """Return the number of the slice of an image."""
    return round(geometry.to_index(np.array(data.ImagePositionPatient, float))[2])
