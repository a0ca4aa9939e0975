"""Read exams, and find or grow a tumour in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
from PCRPredictorLib.calls.one_exam import with_tumour
from PCRPredictorLib.errors import DataError, within_memory
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.finding.find import Candidate
from PCRPredictorLib.reading.clinical import read_clinical
from PCRPredictorLib.reading.mask import add_mask_array
from PCRPredictorLib.reading.sources import Source, find_sources, given_source, only_source

from .log import LOG

Place = str | PathLike[str]
Clinical = Mapping[str, object] | Place


@within_memory()
def read(
    place: Place | Sequence[Place],
    *,
    mask: Place | np.ndarray | None = None,
    label: int | str | Sequence[int | str] = (),
    clinical: Clinical | None = None,
    pick: Sequence[int] = (),
) -> Exam:
    """Read one exam from files or DICOM.

    Args:
        place: a folder (DICOM, a file per phase, or what `pcr demo` writes), a 4-D file, three files (before contrast,
            early, late), or more in the order of time. NIfTI, NRRD and MHA are read.
        mask: of the tumour: a file on the exam's grid, a DICOM Segmentation, or an array (k, j, i) of whole numbers, or
            of True and False, with 0 outside. None for the mask that the place has, if any.
        label: value, or name of a segment, of the tumour in a mask of several; several values, or "all" for each.
        clinical: values by name, such as {"age": 52, "hr": "positive"}, or a JSON or CSV file with them.
        pick: positions of pre, early and late among the phases found, from 0; by default they are chosen by time.

    Returns:
        The exam: three phases (k, j, i) on one lattice in mm, LPS, with its mask and clinical values, if any. What was
        guessed, adjusted or left aside is in `exam.provenance`, and a prediction repeats it as warnings.

    Raises:
        DataError: if there is no exam, or several, or a file cannot be read or does not fit.

    Example:
        exam = breastpcr.read("demo-out", clinical={"age": 52})
    """
    file, array = (None, mask) if isinstance(mask, np.ndarray) else (mask, None)
    labels = (label,) if isinstance(label, int | str) else tuple(label)
    source = _source_of(place)
    if pick and not isinstance(place, str | PathLike) and len(place) == 3:
        source = given_source((), series=[Path(each) for each in place])
    source = source.with_overrides(None if file is None else Path(file), read_values(clinical), labels, pick)
    exam = source.read() if array is None else add_mask_array(source.without_mask().read(), array, labels)
    typed = tuple(str(name).strip().lower() for name in clinical) if isinstance(clinical, Mapping) else ()
    return replace(exam, provenance=replace(exam.provenance, typed=typed))


def _source_of(place: Place | Sequence[Place]) -> Source:
    """Return the exam of one place, of three phases, or of more in the order of time."""
    if isinstance(place, str | PathLike):
        return only_source(Path(place))
    files = [Path(each) for each in place]
    if len(files) == 1:
        return only_source(files[0])
    return given_source(files) if len(files) < 4 else given_source((), series=files)


def read_values(clinical: Clinical | None) -> dict[str, object]:
    """Return clinical values by name, those of a file if it is one.

    Raises:
        DataError: if the file cannot be read.
    """
    if clinical is None:
        return {}
    return dict(clinical) if isinstance(clinical, Mapping) else read_clinical(Path(clinical))


def find_exams(place: Place) -> list[Source]:
    """Return every exam in a folder, such as the patients of a cohort; none is read yet.

    Args:
        place: a cohort (MAMA-MIA layout, or with a `cohort.json`), or any place that `read` reads.

    Returns:
        Sources in the order of the cohort; `source.name` is the patient's identifier, `source.read()` reads the exam,
        and `source.outcome` is 1 for pCR, 0 for none, None if the cohort does not say. No exam holds its outcome.

    Raises:
        DataError: if the place does not exist or holds no exam.

    Example:
        exams = {source.name: source.read() for source in breastpcr.find_exams("cohort")}
    """
    found = find_sources([Path(place)])
    for line in found.said:
        LOG.info(line)
    return found


@within_memory()
def find_tumour(exam: Exam) -> tuple[Exam, tuple[Candidate, ...]]:
    """Find the tumour of an exam that has no mask. Nobody reviews it: the prediction warns of that.

    Args:
        exam: with or without a mask, which is replaced.

    Returns:
        The exam with the most suspicious place as its tumour, and up to five candidates, each with a mask (k, j, i), a
        position (LPS, mm) and reasons.

    Raises:
        DataError: if nothing enhances like a tumour.

    Source: `finding.find`, by differences of Gaussians (Lindeberg 1998).

    Example:
        exam, candidates = breastpcr.find_tumour(breastpcr.read("exam"))
    """
    return with_tumour(exam, True, (), False)


@within_memory()
def grow_tumour(exam: Exam, position: Sequence[float], *, anyway: bool = False) -> Exam:
    """Grow the tumour of an exam from a position, or inside a box.

    Args:
        exam: with or without a mask, which is replaced.
        position: LPS mm of a point in the tumour (three numbers), or of two corners of a box around it (six).
        anyway: use what grows there even if it looks like a vessel, skin or the heart.

    Returns:
        The exam with that tumour; the prediction warns that nobody has reviewed its outline.

    Raises:
        DataError: if nothing enhances there, or it does not look like a mass.

    Example:
        exam = breastpcr.grow_tumour(breastpcr.read("exam"), (41.0, -12.5, 30.0))
    """
    if len(position) not in (3, 6):
        raise DataError(f"position must have three numbers, or six for a box, LPS in mm, got {len(position)}")
    return with_tumour(exam, False, [float(number) for number in position], anyway)[0]
