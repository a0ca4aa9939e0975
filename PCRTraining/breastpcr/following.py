"""Follow a patient under treatment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from PCRPredictorLib.calls.follow_up import FollowUp, follow_exams, follow_values
from PCRPredictorLib.errors import CallError, DataError, within_memory
from PCRPredictorLib.reading.sources import Source
from PCRPredictorLib.response.bundle import DEFAULT
from PCRPredictorLib.response.model import ResponseModel
from PCRPredictorLib.visits.given import by_visit, source_of, sources_of_studies, with_tumours
from PCRPredictorLib.visits.propose import parse_visits
from PCRPredictorLib.visits.studies import find_studies
from PCRPredictorLib.visits.table import CourseTable
from PCRTrainingLib.calls.follow_tables import read_course_table

from .exams import Clinical, Place, read_values
from .loading import load_response_model
from .log import LOG
from .place import check_place
from .progress import LogProgress


@within_memory()
def follow(
    visits: Mapping[str, Place | Sequence[Place]] | Place,
    *,
    studies: Sequence[str] = (),
    masks: Mapping[str, Place] = {},
    labels: Mapping[str, int | str | Sequence[int | str]] = {},
    picks: Mapping[str, Sequence[int]] = {},
    days: Mapping[str, int] = {},
    clinical: Clinical | None = None,
    model: str | PathLike[str] | ResponseModel = DEFAULT,
    out: Place | None = None,
    operating_point: str | None = None,
    one_patient: bool = False,
    dicom: bool = False,
    show_patient_id: bool = False,
) -> FollowUp:
    """Measure a tumour at each visit and predict pCR from how it responds, as `pcr follow` does.

    Args:
        visits: exam of each visit, by name: "T0" is before treatment, "T3" before surgery. An exam is a place as in
            `read`. Or a DICOM folder with several studies, and `studies`. Or a table of one patient's measurements.
        studies: visit of each study of a DICOM folder in the order of time; "-" leaves a study aside.
        masks: of each visit: a file, "gone" (no tumour any more), or "baseline" (what enhances inside the outline of
            the first visit). Visits whose place has a mask need none.
        labels, picks: by visit, as `label` and `pick` of `read`.
        days: by visit, days after the first one, if the files have no dates.
        clinical: values by name, or a JSON or CSV file with them.
        model: name of a response model that ships, a bundle folder, or one from `load_response_model`.
        out: folder for the files, see `FollowUp.write`; None for none.
        operating_point: name of the one that decides; None for the model's first.
        one_patient: the exams are of one patient, whatever their headers say.
        dicom, show_patient_id: of the files in `out`, as in `write`.

    Returns:
        `course` with what was measured at each visit (mm, ml), `prediction` with a probability in [0, 1] after each
        (`prediction.last` is that after the latest), and `notices`, the warnings.

    Raises:
        CallError: if arguments do not go together.
        DataError: if the exams cannot be read, compared or predicted, or the folder cannot be written.

    Example:
        found = breastpcr.follow({"T0": "before", "T1": "during"}, masks={"T0": "t0.nii.gz", "T1": "gone"})
        print(found.prediction.last.probability)
    """
    if out is not None:
        check_place("follow", {"out": Path(out), "inputs": _inputs(visits, masks)})
    response = model if isinstance(model, ResponseModel) else load_response_model(model)
    known = _known(clinical, response)
    words = [_words(given) for given in (masks, labels, picks, days)]
    if isinstance(visits, Mapping) or Path(visits).is_dir():
        given = with_tumours(_sources(visits, studies), *words)
        found = follow_exams(given, known, response, operating_point, one_patient=one_patient, report=LOG.info)
    elif masks or labels or picks or studies or dicom:
        raise CallError("masks, labels, picks, studies and dicom are for exams, not for a table of measurements")
    else:
        found = follow_values(Path(visits), _read_table(Path(visits)), known, words[-1], response, operating_point)
    if out is not None:
        found.write(Path(out), dicom=dicom, show_patient_id=show_patient_id)
    return found


def _inputs(visits: Mapping[str, Place | Sequence[Place]] | Place, masks: Mapping[str, Place]) -> list[Path]:
    places = visits.values() if isinstance(visits, Mapping) else [visits]
    return [Path(each) for place in (*places, *masks.values()) for each in _several(place)]


def _known(clinical: Clinical | None, model: ResponseModel) -> dict[str, object]:
    """Return clinical values; those that were typed must be variables of the model."""
    if isinstance(clinical, Mapping):
        model.schema.parse(clinical, strict=True)
    return read_values(clinical)


def _read_table(table: Path) -> CourseTable:
    """Read a table, and log what was recognised in it and what looks wrong."""
    read = read_course_table([table], None, (), LogProgress())
    for line in read.notes:
        LOG.info(line)
    for line in read.warnings:
        LOG.warning(line)
    return read


def _sources(visits: Mapping[str, Place | Sequence[Place]] | Place, studies: Sequence[str]) -> dict[str, Source]:
    """Return the exams by visit, in the order of time."""
    if isinstance(visits, Mapping):
        if studies:
            raise CallError("studies names the visits of the studies of a DICOM folder; leave it out with visits")
        named = by_visit([[name, *map(str, _several(place))] for name, place in visits.items()], "visits", "its exam")
        return {name: source_of(name, [Path(word) for word in words]) for name, words in named.items()}
    if not studies:
        raise CallError(f'{visits}: give the visit of each study in the order of time, as studies=["T0", "T1"]')
    found = find_studies(Path(visits))
    for notice in found.notices:
        LOG.warning(notice.message)
    return sources_of_studies(found, parse_visits(studies, found.exams))


def _several(place: Place | Sequence[Place]) -> Sequence[Place]:
    return [place] if isinstance(place, str | PathLike) else place


def _words(given: Mapping[str, object]) -> dict[str, list[str]]:
    """Return what is given by visit as the words of the command line, which are checked together."""
    found = {}
    for name, value in given.items():
        values = [value] if isinstance(value, str | int | PathLike) else value
        if not isinstance(values, Sequence):
            raise DataError(f"{name}: must be one value or a list of them, got {type(value).__name__}")
        found[name.strip().upper()] = [str(each) for each in values]
    return found
