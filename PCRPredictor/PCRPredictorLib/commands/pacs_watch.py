"""`pcr pacs watch`: new studies of a PACS, each predicted once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_MODEL, DeviceOption, ModelOption, print_line
from .pacs_predict import PacsOption
from .predict import PointOption

if TYPE_CHECKING:
    from ..pacs.configuration import Configuration
    from ..pacs.studies import Query
    from ..watching.one import Settings
    from ..watching.pace import Pace
    from ..watching.watch import Watch


def watch(
    out: Annotated[Path, typer.Option(help="Folder for the results and the journal; one per watch.")],
    pacs: PacsOption = None,
    store: Annotated[bool, typer.Option("--store", help="Send the results to the PACS.")] = False,
    find_tumour: Annotated[
        bool,
        typer.Option("--find-tumour", help="Find the tumour of studies without a segmentation; nobody reviews it."),
    ] = False,
    every: Annotated[str, typer.Option(help="Time between two looks, such as 30s, 5m, 1h.")] = "60s",
    settle: Annotated[str, typer.Option(help="Time that a study must not change for, until it is predicted.")] = "2m",
    days: Annotated[
        int, typer.Option(min=0, max=36500, help="Days of the study date up to today; 0 for any date.")
    ] = 14,
    date: Annotated[str, typer.Option(help="Instead of --days: study date or range, such as 20240101-20240630.")] = "",
    description: Annotated[str, typer.Option(help="Only studies with this in their description.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Predict what is there now and end, as for cron.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be done with each study; fetch, write and send nothing.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Also try the studies again that have failed for good.")
    ] = False,
    model: ModelOption = DEFAULT_MODEL,
    operating_point: PointOption = None,
    show_patient_id: Annotated[
        bool, typer.Option("--show-patient-id", help="Name the patient in reports and the journal.")
    ] = False,
    device: DeviceOption = "cpu",
) -> None:
    """Look for new breast DCE-MRI with a segmentation, and predict each study once. Ctrl-C ends it; --store sends."""
    from ..model.bundle import find_bundle, load_bundle
    from ..pacs.configuration import read_configuration
    from ..pacs.studies import Query, check_dates
    from ..watching.one import Settings
    from ..watching.pace import LEAST_EVERY_S, Pace

    pace = Pace(_seconds("--every", every, LEAST_EVERY_S), _seconds("--settle", settle), days)
    query = Query(date=check_dates(date) if date else "", description=description, modality="MR")
    bundle = load_bundle(find_bundle(model))
    bundle.operating_point(operating_point)
    wanted = operating_point, find_tumour, store, show_patient_id
    settings = Settings(out.absolute(), bundle.path.absolute(), bundle.checksum, device, *wanted)
    configuration = read_configuration(pacs)
    if dry_run:
        _list(configuration, settings, query, pace)
    else:
        _watch(configuration, settings, query, pace, once=once, retry_failed=retry_failed)


def _seconds(option: str, text: str, least: float = 0.0) -> float:
    from ..watching.pace import read_seconds

    try:
        return read_seconds(text, least)
    except ValueError as error:
        raise typer.BadParameter(f"{option} {error}") from None


def _watch(
    configuration: Configuration, settings: Settings, query: Query, pace: Pace, *, once: bool, retry_failed: bool
) -> None:
    """Watch until Ctrl-C or SIGTERM."""
    from ..pacs.connection import connect
    from ..watching.records import open_records
    from ..watching.stopping import Stopped, Stopping, stopping_on_signals
    from ..watching.watch import Watch
    from ..watching.worker import Worker

    stopping = Stopping(print_line)
    with open_records(settings.out, settings.decisive()) as records, stopping_on_signals(stopping):
        runner = Worker(configuration, stopping, print_line)
        connection = connect(configuration, wait=stopping.wait)
        again = records.failed() if retry_failed else set()
        found = Watch(connection, settings, records, runner, stopping, query, pace, again, print_line)
        try:
            _run(found, once=once)
        except Stopped:
            print_line(f"stopped; {_describe(found)}")
        finally:
            runner.close()


def _run(watch: Watch, *, once: bool) -> None:
    if once:
        arriving, waiting = watch.run_once(), len(watch.waiting)
        more = (f", still arriving: {arriving}" if arriving else "") + (f", waiting: {waiting}" if waiting else "")
        print_line(_describe(watch) + (f"{more}; run it again" if more else ""))
        if waiting:
            raise typer.Exit(1)
        return
    what = "new breast DCE-MRI" + ("" if watch.settings.find_tumour else " with a segmentation")
    what += f", of the last {watch.pace.days} days" if watch.pace.days and not watch.query.date else ""
    sends = (
        "results are stored there" if watch.settings.store else f"nothing is sent, results are in {watch.settings.out}"
    )
    print_line(f"watching {watch.connection.place} for {what}, every {watch.pace.every:g} s; {sends}")
    watch.run()


def _describe(watch: Watch) -> str:
    return f"studies predicted: {watch.done['predicted']}, failed: {watch.done['failed']}"


def _list(configuration: Configuration, settings: Settings, query: Query, pace: Pace) -> None:
    """Print what would be done."""
    from ..pacs.connection import connect
    from ..watching.plan import plan
    from ..watching.words import describe_none

    found = 0
    for found, sentence in enumerate(plan(connect(configuration, print_line), settings, pace.limit(query)), 1):  # noqa: B007
        print_line(sentence)
    if not found:
        print_line(describe_none(pace, query))
