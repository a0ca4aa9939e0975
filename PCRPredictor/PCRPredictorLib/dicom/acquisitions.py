"""The acquisitions among images: sets of phases of one kind on one lattice, and the images that are none."""

from collections.abc import Iterable

import numpy as np

from .aside import Rejected
from .folder import ImageFile
from .frames import image_headers
from .headers import as_floats
from .kinds import Kind, Slice, never_a_phase, not_usable
from .phases import DicomPhase, divide_slices, find_acquisitions


def find_sets(images: Iterable[ImageFile]) -> tuple[list[list[DicomPhase]], list[Rejected]]:
    """Return the sets of phases of one kind on one lattice, and the images that are no slices, with the reason."""
    slices, rejected = _sort_images(images)
    return [same for family in divide_slices(slices) for same in find_acquisitions(family)], rejected


def whole_phases(phases: Iterable[DicomPhase]) -> list[DicomPhase]:
    """Return the phases without a fault."""
    return [phase for phase in phases if not phase.fault]


def _sort_images(images: Iterable[ImageFile]) -> tuple[list[Slice], list[Rejected]]:
    """Return the images that could be slices of a phase, and the others with the reason."""
    slices, rejected = [], []
    for image in images:
        for header, frame in image_headers(image):
            certain = never_a_phase(header)
            if reason := certain or not_usable(header):
                rejected.append(Rejected(image.file, header, reason, bool(certain)))
                continue
            normal = np.cross(*np.reshape(as_floats(header.ImageOrientationPatient), (2, 3)))
            position = float(normal @ as_floats(header.ImagePositionPatient))
            at = None if image.compressed or frame is not None else image.pixels_at
            slices.append(Slice(image.file, header, position, Kind.of(header), frame, image.fault, at))
    return slices, rejected
