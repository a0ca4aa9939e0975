"""One phantom patient as an exam: traits, anatomy and tumour, scanned at a site."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from ..exam import Exam, Geometry, Provenance
from .anatomy import Breast, Layer, body_layers, draw_breasts, shape_body
from .frame import Frame
from .kinetics import FAT, relative_signal
from .shortcut import settings_of_scan
from .site import GREY_LEVELS, SITES, Site
from .traits import Traits, draw_traits, response_intercept
from .treatment import Remains
from .tumour import grow_tumour

_FRONT_MARGIN = 24.0  # mm of air in front of the nipple
AIR_MARGIN = 2.5  # mm around the body that keep their noise; reconstructions store zero further out
_MIDDLE = 50.0  # mm behind the nipple, where a coil that falls off has its usual sensitivity


@dataclass(frozen=True, eq=False)
class Patient:
    """A phantom patient.

    Args:
        exam: int16 phases, uint8 mask, clinical variables age (years), hr and her2 (0 or 1), menopause ("pre", "post").
        label: pathological complete response, 0 or 1.
        probability: of complete response, from which the label was drawn.
        traits: everything that was drawn before imaging.
    """

    exam: Exam
    label: int
    probability: float
    traits: Traits


@dataclass(frozen=True, eq=False)
class Scene:
    """A patient without noise.

    Args:
        frame: of the exam.
        signals: pre, early and late, (k, j, i), in units of unenhanced fibroglandular signal.
        mask: (k, j, i) bool, the tumour.
        skin: signed distance to the body's surface, mm, (k, j, i).
        gland: share of each voxel that is normal fibroglandular tissue, (k, j, i).
    """

    frame: Frame
    signals: list[np.ndarray]
    mask: np.ndarray
    skin: np.ndarray
    gland: np.ndarray


def patient_id(site: Site, index: int, seed: int = 0) -> str:
    """Return an identifier such as PHANTOM_A_0001; with the seed 2 it is PHANTOM_A2_0001, a different patient."""
    return f"PHANTOM_{site.name.upper()}{seed or ''}_{index:04d}"


def patient_traits(site: Site, index: int, seed: int = 0) -> Traits:
    """Return the traits of a patient of `make_patient`, without images."""
    shortcut = site.shortcut if site.shortcut_kind == "background" else 0.0
    intercept = 0.0 if site.pcr_rate is None else response_intercept(site.pcr_rate)
    return draw_traits(generator(site, index, seed, "traits"), shortcut, intercept)


def make_patient(site: Site, index: int = 1, seed: int = 0, full: bool = False) -> Patient:
    """Make one patient of a site; the same arguments always give the same patient.

    Args:
        site: of the scanner.
        index: number of the patient at that site.
        seed: of the cohort.
        full: make a full-size exam (bilateral if axial) instead of a small one.
    """
    return scan_patient(patient_traits(site, index, seed), site, index, seed, full)


def scan_patient(traits: Traits, site: Site, index: int, seed: int = 0, full: bool = False) -> Patient:
    """Make the exam of a patient with these traits; the other arguments, of `make_patient`, draw the anatomy."""
    site = settings_of_scan(site, traits.pcr, generator(site, index, seed, "scan"))
    rng = generator(site, index, seed, "images")
    scene = paint_patient(traits, site, rng, full)
    phases = acquire(scene.signals, scene.frame, rng, site, scene.skin > AIR_MARGIN)
    exam = as_exam(phases, scene.frame.geometry, scene.mask, traits, site, patient_id(site, index, seed))
    return Patient(exam, traits.pcr, traits.probability, traits)


def paint_patient(
    traits: Traits, site: Site, rng: np.random.Generator, full: bool, remains: Remains | None = None
) -> Scene:
    """Return a patient without noise, as a perfect scanner sees them.

    Args:
        rng: draws the anatomy.
        full: see `make_patient`.
        remains: what treatment has left of the tumour; None before treatment.
    """
    pair = draw_breasts(rng, traits.menopause, traits.diameter)
    diseased = pair[0] if traits.side > 0 else pair[1]
    frame = Frame(exam_geometry(site, diseased, full))
    body = shape_body(frame, rng, pair if full and site.orientation == "axial" else (diseased,))
    signals = [np.zeros(frame.shape, np.float32) for _ in site.phase_times]
    gland = np.zeros(0, np.float32)
    for layer in body_layers(frame, rng, body, traits.background):
        paint(signals, layer, site)
        if layer.tissue.ktrans == traits.background:
            gland = layer.share
    tumour = grow_tumour(frame, rng, body, diseased, traits, remains)
    for layer in tumour.layers:
        paint(signals, layer, site)
    return Scene(frame, signals, tumour.mask, body.skin, gland)


def as_exam(
    phases: Sequence[np.ndarray], geometry: Geometry, mask: np.ndarray, traits: Traits, site: Site, name: str
) -> Exam:
    """Return an exam of phases (k, j, i) and a mask of the same shape, with the patient's clinical variables."""
    pre, early, late = phases
    return Exam(
        pre,
        early,
        late,
        geometry=geometry,
        mask=mask.astype(np.uint8),
        clinical={"age": traits.age, "hr": traits.hr, "her2": traits.her2, "menopause": traits.menopause},
        provenance=Provenance("phantom", site.phase_times, name),
    )


def make_exam(seed: int = 0, full: bool = True) -> Exam:
    """Return a phantom exam for demonstrations: by default full-size, axial and bilateral (448 x 448 x 120 voxels)."""
    return make_patient(SITES["A"], seed=seed, full=full).exam


def exam_geometry(site: Site, breast: Breast, full: bool) -> Geometry:
    """Return a site's lattice around a breast, or around both for a full-size axial exam.

    Sagittal: i runs to posterior, j to inferior, k to the right (the normal of i and j, as DICOM sorts slices).
    """
    size, spacing = site.lattice(full)
    extent = [(n - 1) * s for n, s in zip(size, spacing, strict=True)]
    front = float(breast.nipple[1]) - _FRONT_MARGIN
    middle = breast.centre[0] if site.orientation == "sagittal" or not full else 0.0
    if site.orientation == "axial":
        origin = (middle - extent[0] / 2, front, breast.centre[2] - extent[2] / 2)
        return Geometry(size, spacing, origin, np.eye(3))
    direction = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
    origin = (middle + extent[2] / 2, front, breast.centre[2] + extent[1] / 2)
    return Geometry(size, spacing, origin, direction)


def paint(signals: list[np.ndarray], layer: Layer, site: Site) -> None:
    """Paint a tissue over the noise-free phases (k, j, i), in place."""
    window = layer.frame.window if layer.frame else (slice(None),) * 3
    share = layer.share.astype(np.float32, copy=False)
    for signal, seconds in zip(signals, site.phase_times, strict=True):
        target = relative_signal(layer.tissue, seconds / 60, site.sequence, layer.uptake) * layer.brightness
        if layer.tissue is FAT:
            target = target * site.fat
        under = signal[window]
        change = np.asarray(target, np.float32) - under
        change *= share
        under += change


def acquire(
    signals: list[np.ndarray], frame: Frame, rng: np.random.Generator, site: Site, air: np.ndarray
) -> list[np.ndarray]:
    """Return the phases that a scanner stores: coil sensitivity, motion between phases, Rician noise, grey levels.

    Args:
        signals: noise-free phases, (k, j, i), in units of unenhanced fibroglandular signal; overwritten.
        air: (k, j, i) bool; zero is stored there.

    Returns:
        int16 phases, (k, j, i).
    """
    _, y, _ = frame.coordinates
    depth = np.clip(y + 20, 0, None)
    coil = np.exp(np.float32(0.16 * site.shading) * frame.field(rng, 80.0))
    coil *= np.exp(-depth * np.float32(site.shading) / np.float32(85))
    if site.falloff:
        coil *= np.exp(-np.float32(site.falloff) * (y - y.min() - np.float32(_FRONT_MARGIN + _MIDDLE)))
    coil *= np.float32(site.gain * GREY_LEVELS)
    noise = np.float32(site.noise * site.gain * GREY_LEVELS)
    drawn = np.empty(frame.shape, np.float32)
    stored = []
    for number, signal in enumerate(signals):
        if number:
            _shift(signal, rng.uniform(0, 0.3))
        signal *= coil
        rng.standard_normal(dtype=np.float32, out=drawn)
        drawn *= noise
        signal += drawn
        rng.standard_normal(dtype=np.float32, out=drawn)
        drawn *= noise
        magnitude = np.hypot(signal, drawn, out=signal)
        magnitude[air] = 0
        stored.append(np.rint(magnitude.clip(0, 32767, out=magnitude), out=magnitude).astype(np.int16))
    return stored


def _shift(signal: np.ndarray, pixels: float) -> None:
    """Move an image along its rows by part of a pixel, in place, as breathing does."""
    change = signal[:, :-1] - signal[:, 1:]
    change *= np.float32(pixels)
    signal[:, 1:] += change


def generator(site: Site, index: int, seed: int, purpose: str) -> np.random.Generator:
    """Return the generator that draws one thing of a patient of `make_patient`; each purpose has its own."""
    return np.random.default_rng([seed, index, crc32(site.name.encode()), crc32(purpose.encode())])
