"""`pcr pacs`: find studies of a PACS, predict them, and store the results."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..files.limits import STUDIES
from ..files.opening import open_file
from ..formatting import as_line
from ..pacs.rows import columns, rows_of
from ..pacs.sending import look, results_in
from ..pacs.storing import store as store_files
from ..pacs.studies import Query, find_studies, with_series
from ..writing import write_whole_csv
from .options import ManyValues, PlainConsole, print_line
from .pacs_predict import PacsOption, open_connection, predict, print_items, print_note
from .pacs_watch import watch

pacs = typer.Typer(
    help="Find studies of a PACS, predict them, and store the results.", no_args_is_help=True, add_completion=False
)
pacs.command(cls=ManyValues)(predict)
pacs.command(cls=ManyValues)(watch)
_SHOWN = 100  # studies of a table
_wide = PlainConsole(highlight=False, width=300)  # UIDs are copied: none may be cut short
_HEADS = {
    "patient_id": "ID",
    "patient_name": "name",
    "breast_dce": "DCE",
    "segmentation": "masks",
    "predicted": "result",
}


@pacs.command(cls=ManyValues)
def find(
    pacs: PacsOption = None,
    patient: Annotated[str, typer.Option(help="PatientID; * and ? stand for any characters.")] = "",
    name: Annotated[str, typer.Option(help="Patient's name; * and ? stand for any characters.")] = "",
    date: Annotated[str, typer.Option(help="Study date or range: 20240131, 20240101-20240630, 20240101-.")] = "",
    description: Annotated[str, typer.Option(help="Part of the study description.")] = "",
    modality: Annotated[str, typer.Option(help="Modality that a study has; empty for any.")] = "MR",
    most: Annotated[int, typer.Option(min=1, max=STUDIES, help="Studies that are listed, the newest first.")] = _SHOWN,
    show_patient_id: Annotated[
        bool, typer.Option("--show-patient-id", help="Also list the patient's ID and name.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    csv: Annotated[Path | None, typer.Option(help="Write the table to this CSV file.")] = None,
) -> None:
    """List the studies that match, with what lies in them."""
    if as_json and csv is not None:
        raise typer.BadParameter("give one of --json and --csv")
    replaced = csv is not None and _is_replaced(csv)
    connection = open_connection(pacs)
    found = find_studies(connection, Query(patient, name, date, description, modality))
    rows = rows_of([with_series(connection, study) for study in found[:most]], show_patient_id)
    if csv is not None:
        write_whole_csv(columns(show_patient_id), [list(row.values()) for row in rows], csv)
        print_line(f"Written to {csv}" + (", in the place of the table that was there" if replaced else ""))
    elif as_json:
        content = {"format": 1, "pacs": connection.place, "found": len(found), "studies": rows}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
    else:
        _show(rows, columns(show_patient_id), len(found))


@pacs.command(cls=ManyValues)
def store(
    folder: Annotated[Path, typer.Argument(help="Folder with results in DICOM, as --out of a prediction.")],
    pacs: PacsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be sent, and send nothing.")] = False,
) -> None:
    """Send the results in a folder to the PACS, those that it lacks, without predicting again."""
    files, connection = results_in(folder), open_connection(pacs)
    found = look(connection, files)
    for study in found.unknown:
        print_note(f"warning: the PACS at {connection.place} does not have study {study}; it would hold results alone")
    items = found.items if dry_run or not found.missing else store_files(connection, files)
    print_items(items, connection.configuration.url)


def _is_replaced(path: Path) -> bool:
    """Return True if a table of studies is there already.

    Raises:
        typer.BadParameter: if something else is there.
    """
    if not path.exists():
        return False
    try:
        with open_file(path) as file:
            head = file.readline(1000).decode(errors="replace").strip()
    except OSError:
        head = ""
    if head not in {",".join(columns(named)) for named in (False, True)}:
        raise typer.BadParameter(
            f"--csv must be a new file or a table of studies, got {path}, which is neither; name a new one"
        )
    return True


def _show(rows: Sequence[Mapping[str, object]], names: Sequence[str], found: int) -> None:
    """Print the studies as a table."""
    if not rows:
        print_line("no study matches; ask for less, such as another --date, or --modality '' for any")
        return
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(_HEADS.get(name, name), no_wrap=name != "description")
    for row in rows:
        table.add_row(*(as_line(_cell(value), 80) for value in row.values()))
    _wide.print(table, soft_wrap=True)
    shown = f", the newest {len(rows)} shown; ask for more with --most" if found > len(rows) else ""
    print_line(f"{found} {'study' if found == 1 else 'studies'}{shown}")


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value in (None, 0) else str(value)
