"""Check that visits can be compared: refuse what makes the numbers wrong, warn of what makes them less reliable.

Refused: visits in the wrong order of time, one exam given twice, exams of two patients, tumours of both breasts.
Dates and identifiers are compared and never shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np

from ..errors import DataError, Notice
from ..exam import Exam
from ..formatting import count
from ..lesion.body import Side, outline_body
from .course import QUANTITIES, Course, Visit
from .facts import ExamFacts
from .protocol import compare_protocols

SAYS_ONE_PATIENT = "pcr follow --one-patient"  # in a sentence; panel and page have a tick in its place
_USUAL_DAYS = {"T1": (7, 60), "T2": (42, 160), "T3": (70, 400)}  # after T0; between visits: the least is a week
_LEAST_DAYS = 7
_GROWN, _LONGER = 1.5, 1.2  # against the first visit; 2 to 5 % of the trial's patients are above
_LEAST_ML, _LEAST_MM = 0.5, 5.0  # growth below it is within the error of a measurement
_ONE_BREAST_MM = 220.0  # a field that is narrower shows one breast
_OFF_CENTRE_MM = 30.0  # of a field with one breast from the scanner's middle
_SUMS = 1e-9  # relative difference of sums over the voxels of one image, stored twice


def check_course(course: Course, one_patient: bool = False) -> list[Notice]:
    """Return warnings about what makes the visits less comparable.

    Args:
        course: visits with exams, values, or both.
        one_patient: accept exams whose headers name different patients, with a warning.

    Raises:
        DataError: if the visits are not exams of one tumour in the order of time.
    """
    visits = list(course)
    notices = [*check_exams(course, one_patient), *_about_missing(visits), *_about_growth(visits)]
    return [*notices, *_about_copies(visits)]


def check_exams(course: Course, one_patient: bool = False) -> list[Notice]:
    """Return warnings about exams, before they are measured; arguments as of `check_course`.

    Raises:
        DataError: as `check_course`.
    """
    visits = list(course)
    exams = [visit for visit in visits if visit.exam is not None]
    notices = [*_check_dates(visits), *_check_patients(exams, one_patient), *_check_same(exams), *_check_sides(exams)]
    return [*notices, *(notice for visit in exams[1:] for notice in compare_protocols(exams[0], visit))]


def is_same_exam(one: Exam, other: Exam) -> bool:
    """Return True if all phases of two exams hold the same values, in any order of axes."""
    if sorted(one.geometry.size) != sorted(other.geometry.size):
        return False
    return all(_same_values(*pair) for pair in zip(one.phases, other.phases, strict=True))


def find_other_patients(facts: Mapping[str, ExamFacts]) -> Iterator[tuple[str, str, str]]:
    """Yield the tag, the visit, and the visit before it of which the tag differs, where headers name two patients.

    Args:
        facts: of each visit's exam, in the order of time.
    """
    for tag, values in (
        ("PatientID", {name: each.patient_id.strip().casefold() for name, each in facts.items()}),
        ("PatientBirthDate", {name: each.birth_date for name, each in facts.items()}),
    ):
        known = {name: value for name, value in values.items() if value}
        first = next(iter(known), "")
        yield from ((tag, name, first) for name in known if known[name] != known[first])


def breast_of(visit: Visit) -> tuple[Side | None, bool]:
    """Return the breast of a visit's tumour, and True if that is certain.

    It is certain by the outline of the body or the header, and likely by the place of a field with one breast.
    """
    exam = visit.exam
    if exam is None:
        return visit.facts.side, True
    body = outline_body(exam) if exam.has_tumour else None
    if body is not None and (side := body.side_of(exam.centre)):
        return side, True
    if visit.facts.side:
        return visit.facts.side, True
    corners = exam.geometry.to_physical(np.array([(0, 0, 0), np.array(exam.geometry.size) - 1]))[:, 0]
    middle = float(corners.mean())
    if np.ptp(corners) >= _ONE_BREAST_MM or abs(middle) < _OFF_CENTRE_MM:
        return None, False
    return ("left" if middle > 0 else "right"), False


def _check_dates(visits: Sequence[Visit]) -> Iterator[Notice]:
    """Yield warnings about unusual intervals; refuse dates that fall."""
    dated = [visit for visit in visits if visit.date is not None]
    for one, other in pairwise(dated):
        days = (other.date - one.date).days  # type: ignore[operator]
        if days < 0:
            raise DataError(
                f"{other.name} must be after {one.name}, got an exam {count(-days, 'day')} before it; "
                f"the two visits may be swapped: name each exam as the visit that it was"
            )
        if days < _LEAST_DAYS:
            when = "on the same day" if days == 0 else f"{count(days, 'day')} apart"
            text = f"{one.name} and {other.name} are {when}: too close for a response; check which exams they are."
            yield Notice("visits_close", text)
    if not dated or dated[0].name != "T0":
        return
    for visit in dated[1:]:
        days = (visit.date - dated[0].date).days  # type: ignore[operator]
        low, high = _USUAL_DAYS[visit.name]
        if days >= _LEAST_DAYS and not low <= days <= high:
            text = (
                f"{visit.name} is {days} days after T0, {low} to {high} are usual: it is compared with patients at "
                "a different time of their treatment; check the name of the visit."
            )
            yield Notice("visit_interval", text)


def _check_patients(exams: Sequence[Visit], one_patient: bool) -> Iterator[Notice]:
    """Yield a warning, or refuse exams, if the headers name different patients."""
    for tag, name, first in find_other_patients({visit.name: visit.facts for visit in exams}):
        if not one_patient:
            raise DataError(
                f"{name} must be an exam of the patient of {first}, got a different {tag}; give exams of one "
                f"patient ({SAYS_ONE_PATIENT}, if only the headers differ, as after de-identification)"
            )
        text = f"{tag} of {name} differs from that of {first}; read as one patient, as it was asked for."
        yield Notice("patients_differ", text)


def _check_same(exams: Sequence[Visit]) -> Iterator[Notice]:
    """Yield a warning about one series UID in two visits; refuse one exam in two visits."""
    for one, other in combinations(exams, 2):
        first, second = one.exam, other.exam
        if first is None or second is None:
            continue
        same_series = bool(one.facts.series) and one.facts.series == other.facts.series
        shared = same_series and any(_same_values(a, b) for a, b in zip(first.phases, second.phases, strict=True))
        if shared or is_same_exam(first, second):
            raise DataError(
                f"{other.name} must be a different exam than {one.name}, got the same images twice; give the exam of "
                "each visit"
            )
        if same_series:
            text = (
                f"{one.name} and {other.name} have the same series UID but different images, as after "
                "de-identification; check that each is the exam of its visit."
            )
            yield Notice("series_same", text)


def _check_sides(exams: Sequence[Visit]) -> Iterator[Notice]:
    """Yield a warning, or refuse exams, if the tumours lie in different breasts."""
    found = [(visit.name, *breast_of(visit)) for visit in exams]
    known = [(name, side, certain) for name, side, certain in found if side is not None]
    for name, side, certain in known[1:]:
        first, before, sure = known[0]
        if side == before:
            continue
        if certain and sure:
            raise DataError(
                f"{name} must show the tumour in the {before} breast as {first} does, got the {side} breast; give the "
                "exam, or the mask, of the same breast"
            )
        text = (
            f"{name} seems to show the {side} breast and {first} the {before} one; check that both are of one breast."
        )
        yield Notice("other_breast", text)


def _about_missing(visits: Sequence[Visit]) -> Iterator[Notice]:
    if visits and visits[0].name != "T0":
        text = (
            f"T0, the exam before treatment, is missing: changes are counted from {visits[0].name} on, and "
            "the response until then is not known."
        )
        yield Notice("no_baseline", text)


def _about_copies(visits: Sequence[Visit]) -> Iterator[Notice]:
    """Yield a warning about visits with one mask, or with the same values."""
    for one, other in combinations(visits, 2):
        if _same_mask(one.exam, other.exam):
            text = (
                f"{one.name} and {other.name} have the same mask: draw the tumour of {other.name} on its own exam, or "
                "measure it inside the baseline's outline."
            )
            yield Notice("mask_copied", text)
        known = [q.name for q in QUANTITIES if one.values.get(q.name) and other.values.get(q.name) is not None]
        if len(known) > 1 and all(one.values.get(name) == other.values.get(name) for name in known):
            text = f"{one.name} and {other.name} have the same values; check that one was not copied."
            yield Notice("values_copied", text)


def _same_mask(one: Exam | None, other: Exam | None) -> bool:
    if one is None or other is None or not (one.has_tumour and other.has_tumour):
        return False
    masks = [np.asarray(exam.mask) != 0 for exam in (one, other)]
    return one.geometry.matches(other.geometry) and np.array_equal(*masks)


def _about_growth(visits: Sequence[Visit]) -> Iterator[Notice]:
    """Yield a warning about a tumour that is much larger than at the first visit, or that is there again."""
    for visit in visits[1:]:
        before, now = visits[0].values, visit.values
        grown = [
            f"{name} of {new:.3g} {unit} instead of {old:.3g} {unit}"
            for name, unit, old, new, factor, least in (
                ("a volume", "ml", before.functional_volume_ml, now.functional_volume_ml, _GROWN, _LEAST_ML),
                ("a diameter", "mm", before.longest_diameter_mm, now.longest_diameter_mm, _LONGER, _LEAST_MM),
            )
            if old is not None and new is not None and new > factor * old and new - old > least
        ]
        if grown:
            text = (
                f"The tumour is larger at {visit.name} than at {visits[0].name} ({' and '.join(grown)}): check that "
                "visits and masks are not swapped."
            )
            yield Notice("tumour_grown", text)
    for one, other in pairwise(visits):
        if one.values.gone and (other.values.functional_volume_ml or 0) > 0:
            text = f"The tumour was gone at {one.name} and is there at {other.name}; check both masks."
            yield Notice("tumour_back", text)


def _same_values(one: np.ndarray, other: np.ndarray) -> bool:
    """Return True if two arrays hold the same values in any order, by their sums of powers."""
    if one.size != other.size:
        return False
    pairs = ((_sum(one, power), _sum(other, power)) for power in (1, 2, 3))
    return all(abs(a - b) <= _SUMS * max(abs(a), abs(b)) for a, b in pairs)


def _sum(array: np.ndarray, power: int) -> float:
    """Return the sum of powers of all voxels, slice by slice: a copy of a whole exam would need much memory."""
    return sum(float((np.asarray(plane, np.float64) ** power).sum()) for plane in array)
