"""A phantom patient at several visits: the same body, moved a little, with a tumour under treatment; and the truth.

The truth is what `lesion` measures on the patient without noise, coil or motion between phases, with the true mask; the
background is that of the true fibroglandular tissue. Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from ..enhancement import relative_enhancement
from ..exam import Exam
from ..lesion.functional import face_sphericity, functional_voxels, highest_ser, longest_of_largest_piece
from .patient import AIR_MARGIN, Scene, acquire, as_exam, generator, paint_patient, patient_id, patient_traits
from .shortcut import settings_of_scan
from .site import Site
from .traits import Traits
from .treatment import Remains, Shrinkage, State, draw_states

_MIDDLE_SLICES = 5
_MOSTLY_GLAND = 0.8
_INSIDE_MM = 5.0  # from the skin, where gland counts


@dataclass(frozen=True, eq=False)
class PhantomVisit:
    """A phantom patient at a visit.

    Args:
        state: of the patient.
        exam: as it was scanned; its mask has no voxel if the tumour is gone.
        truth: true values of what is measured, by name; None for what there is none of.
        motion: (4, 4), from LPS points in mm at the first visit to the same tissue at this one.
    """

    state: State
    exam: Exam
    truth: dict[str, float | None]
    motion: np.ndarray


@dataclass(frozen=True, eq=False)
class PhantomCourse:
    """A phantom patient at all visits, the first before treatment.

    Args:
        traits: drawn before imaging, with label and probability of response.
        visits: in the order of time.
    """

    traits: Traits
    visits: tuple[PhantomVisit, ...]


def make_course(
    site: Site,
    index: int = 1,
    seed: int = 0,
    full: bool = False,
    visits: int = 3,
    shrinkage: Shrinkage = "concentric",
) -> PhantomCourse:
    """Make a patient at several visits; the first exam is that of `make_patient`.

    Args:
        site: of the scanner.
        index: number of the patient at that site.
        seed: of the cohort.
        full: make full-size exams (bilateral if axial) instead of small ones.
        visits: their number, 1 to 4.
        shrinkage: how tumours shrink.
    """
    traits = patient_traits(site, index, seed)
    states = draw_states(generator(site, index, seed, "treatment"), traits.pcr, visits)
    site = settings_of_scan(site, traits.pcr, generator(site, index, seed, "scan"))
    scans = (_scan(traits, site, index, seed, full, state, shrinkage) for state in states)
    return PhantomCourse(traits, tuple(scans))


def _scan(
    traits: Traits, site: Site, index: int, seed: int, full: bool, state: State, shrinkage: Shrinkage
) -> PhantomVisit:
    rng = generator(site, index, seed, "images")
    now = replace(traits, background=traits.background * state.background)
    remains = None
    if state.visit != "T0":
        remains = Remains(state.left, state.fade, shrinkage, generator(site, index, seed, "pieces"))
    scene = paint_patient(now, site, rng, full, remains)
    motion = _motion(state, scene)
    if state.visit != "T0":
        scene, rng = _moved(scene, motion), generator(site, index, seed, f"scan {state.visit}")
    name = patient_id(site, index, seed)
    clean = as_exam([signal.copy() for signal in scene.signals], scene.frame.geometry, scene.mask, now, site, name)
    truth = _measure(clean, scene, traits.side)
    phases = acquire(scene.signals, scene.frame, rng, site, scene.skin > AIR_MARGIN)
    exam = as_exam(phases, scene.frame.geometry, scene.mask, now, site, name)
    return PhantomVisit(state, exam, truth, motion)


def _motion(state: State, scene: Scene) -> np.ndarray:
    """Return how the body moved, (4, 4) LPS mm: turned about the middle of the field."""
    geometry = scene.frame.geometry
    centre = geometry.to_physical((np.array(geometry.size) - 1) / 2)
    turn = np.eye(3)
    for axis, degrees in enumerate(state.turned):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        one, other = [a for a in range(3) if a != axis]
        step = np.eye(3)
        step[[one, one, other, other], [one, other, one, other]] = c, -s, s, c
        turn = step @ turn
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre + state.moved - turn @ centre
    return matrix


def _moved(scene: Scene, motion: np.ndarray) -> Scene:
    """Return a scene of which everything moved inside the field."""
    geometry = scene.frame.geometry
    to_physical = np.eye(4)
    to_physical[:3, :3], to_physical[:3, 3] = geometry.direction * geometry.spacing, geometry.origin
    index = np.linalg.inv(to_physical) @ np.linalg.inv(motion) @ to_physical  # of i, j, k
    matrix, offset = index[2::-1, 2::-1], index[2::-1, 3]

    def move(array: np.ndarray) -> np.ndarray:
        return np.asarray(ndimage.affine_transform(array, matrix, offset, order=1, mode="nearest"))

    mask = move(scene.mask.astype(np.float32)) >= 0.5
    return replace(
        scene, signals=[move(s) for s in scene.signals], mask=mask, skin=move(scene.skin), gland=move(scene.gland)
    )


def _measure(clean: Exam, scene: Scene, side: int) -> dict[str, float | None]:
    """Return the true values of a noise-free exam."""
    functional = functional_voxels(clean, scene.mask)
    return {
        "functional_volume_ml": int(functional.sum()) * clean.geometry.voxel_volume / 1000,
        "longest_diameter_mm": longest_of_largest_piece(scene.mask, clean.geometry),
        "sphericity": face_sphericity(functional, clean.geometry.spacing[::-1]),
        "background_enhancement_percent": _background(scene, side),
        "highest_ser": highest_ser(clean, functional),
        "volume_ml": int(scene.mask.sum()) * clean.geometry.voxel_volume / 1000,
    }


def _background(scene: Scene, side: int) -> float | None:
    """Return the true early enhancement in per cent of the other breast's gland, in its five middle slices."""
    other = (scene.frame.coordinates[0] * side < 0) & (scene.gland > _MOSTLY_GLAND) & (scene.skin < -_INSIDE_MM)
    slices = np.flatnonzero(other.any((1, 2)))
    if not len(slices):
        return None
    middle = int(np.median(slices))
    five = slice(max(middle - _MIDDLE_SLICES // 2, 0), middle + _MIDDLE_SLICES // 2 + 1)
    chosen = other[five]
    if not chosen.any():
        return None
    pre, early = (scene.signals[n][five][chosen] for n in (0, 1))
    return 100 * float(relative_enhancement(pre, early, 1e-3).mean())


def truth_row(patient: str, visit: PhantomVisit) -> Sequence[object]:
    """Return the row of `visits_truth.csv`, see `TRUTH_COLUMNS`."""
    state = visit.state
    values = ["" if value is None else round(value, 5) for value in visit.truth.values()]
    gone = int(not visit.exam.has_tumour)
    return [patient, state.visit, state.day, *values, gone, round(state.left, 5), *state.moved, *state.turned]


TRUTH_COLUMNS = (
    "patient_id",
    "visit",
    "day",
    "functional_volume_ml",
    "longest_diameter_mm",
    "sphericity",
    "background_enhancement_percent",
    "highest_ser",
    "volume_ml",
    "gone",
    "volume_left",
    *(f"moved_{axis}_mm" for axis in "xyz"),
    *(f"turned_{axis}_degrees" for axis in "xyz"),
)
