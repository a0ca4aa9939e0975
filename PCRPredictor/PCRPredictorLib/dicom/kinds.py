"""What an image is: its settings, compared with tolerances that physics gives, and why it is no slice of a phase.

Settings are compared because water and fat, magnitude and phase, filtered and unfiltered copies, and the flip angles of
a T1 map lie on the lattice of the phases. A setting that one of two images does not name is not compared.

Tolerances: fat and water are in and out of phase every 1.1 ms at 3 T, so echoes that differ by less than 0.2 ms are
one; flip angles of a T1 map differ by 2 degrees or more; a scanner adapts repetition time by a few per cent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

from .headers import as_floats, tag_integer, tag_number, tag_text, tag_value, tag_words

_ECHO_MS, _FLIP_DEGREES, _REPETITION = 0.2, 1.0, 0.25
_COMPUTED = ("SUB", "MIP", "PROJECTION", "MPR", "REFORMAT", "DIFFUSION", "ADC", "TRACEW")  # starts of image types
_SAME_IMAGE = {"ND", "MFSPLIT"}  # not corrected for distortion, split into files: what images without a word are, too
_OTHER_NAMES = re.compile(
    r"(?<![a-z])(sub(tr[a-z]*|s)?(?![ _-]?mm)|mip|mpr|adc|dwi|diff[a-z]*|t2(?=w|[ _-]*[a-z])w?|stir|flair)(?![a-z])",
    re.IGNORECASE,
)  # in descriptions
_NO_MAGNITUDE = {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY"}
_FAT_SUPPRESSED = {"FS", "SPIR", "SPAIR", "FATSAT", "FAT_SAT"}  # among scan options
_PLACE_TAGS = ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient")
_ENHANCED = {"1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.4.4"}  # Enhanced MR, legacy converted


@dataclass(frozen=True)
class Kind:
    """Settings that the phases of one acquisition share; times in ms, None or empty if unknown."""

    image_type: tuple[str, ...] = ()
    echo_time: float | None = None
    flip_angle: float | None = None
    repetition_time: float | None = None
    fat_suppressed: bool | None = None

    @staticmethod
    def of(header: pydicom.Dataset) -> "Kind":
        """Return the settings in a header."""
        options = tag_words(header, "ScanOptions")
        return Kind(
            tuple(word for word in tag_words(header, "ImageType") if word),
            tag_number(header, "EchoTime"),
            tag_number(header, "FlipAngle"),
            tag_number(header, "RepetitionTime"),
            not _FAT_SUPPRESSED.isdisjoint(options) if any(options) else None,
        )

    def difference(self, other: "Kind") -> str:
        """Return how this kind differs from another one, to follow "its"; empty if it does not."""
        here, there = self.image_type, other.image_type
        if here and there and (here[:2] != there[:2] or not set(here) ^ set(there) <= _SAME_IMAGE):
            return f"image type is {'/'.join(here)} instead of {'/'.join(there)}"
        for name, unit, a, b, limit in (
            ("echo time", " ms", self.echo_time, other.echo_time, _ECHO_MS),
            ("flip angle", " degrees", self.flip_angle, other.flip_angle, _FLIP_DEGREES),
            ("repetition time", " ms", self.repetition_time, other.repetition_time, None),
        ):
            if a is not None and b is not None and not abs(a - b) <= (limit or _REPETITION * max(a, b)):
                return f"{name} is {a:g}{unit} instead of {b:g}{unit}"
        if None not in (self.fat_suppressed, other.fat_suppressed) and self.fat_suppressed != other.fat_suppressed:
            words = {True: "with fat suppression", False: "without fat suppression"}
            return f"images were taken {words[bool(self.fat_suppressed)]}"
        return ""


@dataclass(frozen=True, eq=False)
class Slice:
    """One image that could be a slice of a phase.

    Args:
        file: that holds it.
        header: its own, also if it is a frame of Enhanced MR.
        position: mm along its normal.
        kind: settings that slices of one acquisition share.
        frame: number in a file of Enhanced MR, from 0; else None.
        fault: why its pixels cannot be used, such as "is cut short"; else empty.
        pixels_at: byte of the file at which its pixels start, if they are stored as they are; else None.
    """

    file: Path
    header: pydicom.Dataset
    position: float
    kind: Kind
    frame: int | None = None
    fault: str = ""
    pixels_at: int | None = None


def is_enhanced(header: pydicom.Dataset) -> bool:
    """Return True for the multi-frame kind of MR, which may also have a single frame."""
    return tag_text(header, "SOPClassUID") in _ENHANCED or "PerFrameFunctionalGroupsSequence" in header


def never_a_phase(header: pydicom.Dataset) -> str:
    """Return why an image is certainly no slice of a phase, to follow the name of its series; else nothing."""
    modality, kinds = tag_text(header, "Modality") or "MR", tag_words(header, "ImageType")
    sequence = tag_words(header, "ScanningSequence")
    if modality != "MR":
        return f"is of the modality {modality}"
    if computed := next((kind for kind in kinds if kind.startswith(_COMPUTED)), None):
        return f"is computed from other images ({computed})"
    if kinds[:2] == ("DERIVED", "SECONDARY"):
        return "is computed from other images (DERIVED/SECONDARY)"
    if other := next((kind for kind in kinds if kind in _NO_MAGNITUDE), None):
        return f"has no magnitude images ({other})"
    if (samples := tag_integer(header, "SamplesPerPixel")) > 1:
        return f"has images in colour ({samples} values per pixel)"
    if "EP" in sequence or tag_value(header, "DiffusionBValue") is not None:
        return "is an echo-planar or diffusion series"
    return "is a spin-echo series" if "SE" in sequence and "GR" not in sequence else ""


def named_otherwise(description: str) -> str:
    """Return the word of a description that is the name of other images than phases, such as "SUB"; else nothing."""
    found = _OTHER_NAMES.search(description)
    return found[0] if found else ""


def not_usable(header: pydicom.Dataset) -> str:
    """Return what keeps an image from being a slice of a phase although it may be one; nothing if it is usable."""
    if tag_integer(header, "NumberOfFrames") > 1:
        return "has multi-frame DICOM images that are not Enhanced MR; convert them to single-frame DICOM"
    if (shown := tag_text(header, "PhotometricInterpretation")) == "MONOCHROME1":
        return f"has inverted images ({shown})"
    if missing := [tag for tag in _PLACE_TAGS if tag_value(header, tag) in (None, "", [])]:
        return f"has images without {' and '.join(missing)}"
    try:
        across, down = np.reshape(as_floats(header.ImageOrientationPatient), (2, 3))
        spacing, position = as_floats(header.PixelSpacing), as_floats(header.ImagePositionPatient)
    except (ValueError, TypeError):
        return "has images with damaged positions"
    if len(spacing) != 2 or len(position) != 3 or not np.isfinite([*across, *down, *spacing, *position]).all():
        return "has images with damaged positions"
    if not 0.9 < np.linalg.norm(np.cross(across, down)) < 1.1:
        return "has images with an invalid ImageOrientationPatient"
    sizes: Sequence[float] = (*spacing, tag_integer(header, "Rows"), tag_integer(header, "Columns"))
    return "has images with an invalid size or PixelSpacing" if min(sizes) <= 0 else ""
