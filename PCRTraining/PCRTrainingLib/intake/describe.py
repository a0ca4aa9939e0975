"""A folder with the files of a cohort, described by a `cohort.json` that `pcr init` writes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PCRPredictorLib.clinical import is_missing
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.names import does_not_exist
from PCRPredictorLib.reading.cohort import NO_IMAGES, TABLE, CohortPatient, find_patients, visits_of
from PCRPredictorLib.reading.labels import LABEL
from PCRPredictorLib.reading.mapping import MAPPING
from PCRPredictorLib.visits.cohort import find_courses
from PCRPredictorLib.writing import write_whole_text

from ..cohort.visits import count_visits
from .columns import Columns, describe_columns
from .images import Contents, list_contents
from .layout import Layout, find_layout, with_visits
from .names import PHASE, SERIES
from .patients import count_matches, same_key
from .tables import Chosen, choose_table, number_of, read_tables, rename_identifiers

_SHOWN = 5  # patients in a sentence
_WIDTH = 100  # of a line in cohort.json


@dataclass(frozen=True)
class Description:
    """What was found in a folder.

    Args:
        text: of the `cohort.json`.
        taken: sentences about what was found.
        doubts: about what could not be told.
        missing: about patients that lack something.
        in_one_file: True if the phases of a patient are in one file.
        is_whole: False if the phases could not be described.
    """

    text: str
    taken: tuple[str, ...]
    doubts: tuple[str, ...]
    missing: tuple[str, ...] = ()
    in_one_file: bool = False
    is_whole: bool = True


def init_cohort(folder: Path, force: bool = False) -> Description:
    """Look at a folder and write a `cohort.json` into it.

    Args:
        force: replace the `cohort.json` that is there.

    Raises:
        DataError: if the folder has no images of patients, or a `cohort.json`, or cannot be written.
    """
    if not folder.exists():
        raise DataError(does_not_exist(folder))
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; give the folder with the images and the table")
    path = folder / MAPPING
    if path.exists() and not force:
        raise DataError(f"{path} is there already; edit it, or describe the folder anew with --force")
    contents = list_contents(folder)
    described = _describe(folder, contents)
    write_whole_text(described.text, path)
    return _with_patients(folder, described)


def _describe(folder: Path, contents: Contents) -> Description:
    kinds = [[image for image in contents.images if image.kind == kind] for kind in (PHASE, SERIES)]
    phases = kinds[0] or kinds[1]
    if not phases:
        raise DataError(_no_phases(folder, contents))
    tables, unread = read_tables(contents.tables)
    chosen = choose_table(tables, phases)
    columns = Columns()
    cells: Sequence[str] = ()
    if chosen.table is not None and chosen.identifier:
        cells = chosen.table.columns[chosen.identifier]
        columns = describe_columns(chosen.table, chosen.identifier)
    elif not tables:
        columns.doubts[LABEL] = "no table was found; put a table with a row per patient and a column for pCR into it"
    keys, numbers = (frozenset(map(key, cells)) for key in (same_key, number_of))
    known = keys if count_matches(phases, keys) else numbers
    layout = with_visits(find_layout(contents, known), contents.visits)
    if renamed := rename_identifiers(cells, layout.patients):
        columns.values = {"patient_id": renamed, **columns.values}
        first = next(iter(renamed))
        columns.notes.insert(
            0, f"patient_id: {len(renamed)} are written differently, such as {first} = {renamed[first]}"
        )
    doubts = [*layout.doubts, *unread, *chosen.doubts, *columns.doubts.values()]
    links = 0 if layout.is_mama_mia else contents.links
    if links:
        doubts.append(f'{links} images are links that lead out of the folder; write "follow_links": true to allow them')
    visits = dict(contents.visits)
    taken = [*_about_layout(layout), *layout.notes]
    if visits:
        named = (text if text == visit else f"{visit} = {text}" for visit, text in visits.items())
        taken.append(f"visits: {', '.join(named)}")
    if chosen.table is not None:
        taken.append(f"table: {chosen.table.name}, patients in the column {chosen.identifier or '?'}")
    text = _write(layout, chosen, columns, folder, bool(links), {} if layout.is_mama_mia else visits)
    whole = layout.is_mama_mia or bool(layout.phases or layout.series)
    return Description(text, (*taken, *columns.notes), tuple(doubts), (), bool(layout.series), whole)


def _no_phases(folder: Path, contents: Contents) -> str:
    if contents.dicom:
        return f"{folder}: has DICOM files and no phases as NIfTI, NRRD or MHA; make a cohort of it with pcr import"
    if contents.images:
        shown = ", ".join(image.path for image in contents.images[:3])
        return (
            f"{folder}: has {len(contents.images)} images, but their names say neither phase nor number ({shown}); "
            "name them like pre, post1, post2, or _0000, _0001, _0002"
        )
    return f"{folder}: has no images; give a folder with phases as NIfTI, NRRD or MHA, or DICOM to pcr import"


def _about_layout(layout: Layout) -> Iterable[str]:
    if layout.is_mama_mia:
        yield "phases and masks: as in MAMA-MIA (images, segmentations)"
        return
    if layout.series:
        yield f"all phases in one file: {layout.series}"
    for number, pattern in enumerate(layout.phases):
        yield f"phase {number}: {pattern}"
    for pattern in layout.masks:
        yield f"mask: {pattern}"


def _write(
    layout: Layout, chosen: Chosen, columns: Columns, folder: Path, links: bool, visits: Mapping[str, str]
) -> str:
    """Return the text of a `cohort.json`, with what was found and what could not be told as comments."""
    parts: dict[str, object] = {"//": "Written by pcr init. Keys that start with // are comments. Next: pcr check"}
    if chosen.doubts:
        parts["// table"] = list(chosen.doubts)
    if chosen.table is not None:
        name = chosen.table.file.relative_to(folder).as_posix()
        if Path(name).stem.lower() != TABLE or "/" in name:
            parts["table"] = name
        if chosen.table.sheet:
            parts["sheet"] = chosen.table.sheet
    if columns.notes or columns.doubts:
        parts["// columns"] = [*columns.notes, *(f"{name}: {text}" for name, text in columns.doubts.items())]
    if own := {ours: theirs for ours, theirs in columns.columns.items() if ours != theirs}:
        parts["columns"] = own
    if values := {ours: meanings for ours, meanings in columns.values.items() if meanings}:
        parts["values"] = values
    if layout.notes or layout.doubts:
        parts["// phases"] = [*layout.notes, *layout.doubts]
    if layout.phases:
        parts |= {"phases": list(layout.phases), "mask": list(layout.masks)}
    if layout.series:
        parts |= {"series": layout.series, "mask": list(layout.masks)}
    if any(text != visit for visit, text in visits.items()) and (layout.phases or layout.series):
        parts["visits"] = dict(visits)
    if links:
        parts["follow_links"] = False
    return _as_text(parts)


def _as_text(parts: Mapping[str, object]) -> str:
    """Return JSON with short values on one line."""
    lines = []
    for key, value in parts.items():
        text = json.dumps(value, ensure_ascii=False)
        if len(text) + len(key) > _WIDTH and not isinstance(value, str):
            text = json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        lines.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _with_patients(folder: Path, described: Description) -> Description:
    """Add what the reader finds with the description: patients, and what they lack."""
    if not described.is_whole:
        return described
    reported: list[str] = []
    try:
        patients = find_patients(folder, reported.append)
    except DataError as error:
        return replace(described, doubts=(*described.doubts, str(error)))
    counts = sorted({len(patient.phases) for patient in patients})
    with_what = "one file for all phases" if described.in_one_file else f"{' or '.join(map(str, counts))} phases"
    taken = f"patients: {len(patients)}, with {with_what}"
    each_visit = count_visits(find_courses(folder)) if visits_of(folder) else ()
    missing = [
        *_about("without a mask", [p for p in patients if p.mask is None]),
        *_about("without a row in the table", [p for p in patients if not p.row]),
        *_about("without a value for pcr", [p for p in patients if LABEL in p.row and is_missing(p.row[LABEL])]),
        *_about("with several files for one phase or mask", [p for p in patients if p.problem]),
        *_about("with a phase missing", [p for p in patients if not p.problem and not _complete(p, counts[-1])]),
        *(text for text in reported if NO_IMAGES in text),
    ]
    said = [text for text in reported if NO_IMAGES not in text and text not in described.doubts]
    return replace(described, taken=(taken, *each_visit, *described.taken, *said), missing=tuple(missing))


def _complete(patient: CohortPatient, phases: int) -> bool:
    return len(patient.phases) == phases and all(phase.is_file() for phase in patient.phases)


def _about(what: str, patients: Sequence[CohortPatient]) -> list[str]:
    return [f"{len(patients)} {what}: {_list([p.patient_id for p in patients])}"] if patients else []


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
