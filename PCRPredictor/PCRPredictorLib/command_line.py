"""The command `pcr`: what prediction needs of it. No logic here; each command calls the library and prints.

Exit codes: 0 done, 1 the data is at fault, 2 the call is.
"""

from __future__ import annotations

import contextlib
import locale
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from . import __version__
from .child import end_with_parent, is_child, tell
from .clinical import read_clinical_words
from .errors import DataError
from .exam import Exam
from .model.bundle import Bundle, bundled_models, export_bundle, find_bundle, load_bundle
from .model.card import describe_metric

if TYPE_CHECKING:
    from .model.predictor import Predictor
    from .prediction import Prediction

DEFAULT_MODEL = "ispy2"
console = Console(highlight=False)
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bundle_app = typer.Typer(help="Look at, check and hand on a model.", no_args_is_help=True)
app.add_typer(bundle_app, name="bundle")


class ManyValues(typer.core.TyperCommand):
    """A command whose list options take all the words up to the next option: `--phases PRE EARLY LATE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  typer keeps its type private
        """Repeat the option before each of its words."""
        many = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        expanded, current, first = [], "", False
        for word in args:
            if word.startswith("--"):
                current, first = (word, True) if word in many else ("", False)
                expanded.append(word)
            else:
                expanded += [current, word] if current and not first else [word]
                first = False
        return super().parse_args(ctx, expanded)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"pcr {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Predict pathological complete response (pCR) from breast DCE-MRI. Research use only."""


ModelOption = Annotated[str, typer.Option("--model", help="Bundle folder, or the name of a bundled model.")]


@app.command(cls=ManyValues)
def predict(
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    phases: Annotated[list[Path], typer.Option(help="Three files: PRE EARLY LATE (NIfTI, NRRD, MHA).")] = [],  # noqa: B006
    dicom: Annotated[Path | None, typer.Option(help="Folder with the DICOM files of one exam.")] = None,
    cohort: Annotated[
        Path | None, typer.Option(help="Folder of a whole cohort, in the MAMA-MIA layout or with a cohort.json.")
    ] = None,
    mask: Annotated[Path | None, typer.Option(help="Tumour mask on the grid of the phases, or a DICOM SEG.")] = None,
    label: Annotated[int | None, typer.Option(min=1, help="Value of the tumour in a mask of several segments.")] = None,
    clinical: Annotated[
        list[str], typer.Option(help="A CSV or JSON file, or pairs: age=52 hr=positive; names: pcr bundle info.")
    ] = [],  # noqa: B006
    model: ModelOption = DEFAULT_MODEL,
    operating_point: Annotated[str | None, typer.Option(help="Which of the model's operating points decides.")] = None,
    pick: Annotated[list[int], typer.Option(help="Of the DICOM phases, which are PRE EARLY LATE, from 0.")] = [],  # noqa: B006
    each: Annotated[bool, typer.Option("--each", help="With --cohort, write every patient's files too.")] = False,
    show_patient_id: Annotated[bool, typer.Option("--show-patient-id", help="Name the patient in the report.")] = False,
    dicom_results: Annotated[
        bool, typer.Option("--dicom-results", help="Also write DICOM objects for a PACS; needs --dicom.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Predict one exam, from files or DICOM, or a whole cohort."""
    if sum([bool(phases), dicom is not None, cohort is not None]) != 1:
        raise typer.BadParameter("give exactly one of --phases, --dicom and --cohort")
    if cohort is not None and (mask or label is not None or clinical or show_patient_id):
        raise typer.BadParameter("--mask, --label, --clinical and --show-patient-id are for one exam, not a --cohort")
    if each and cohort is None:
        raise typer.BadParameter("--each is for a --cohort")
    if pick and dicom is None:
        raise typer.BadParameter("--pick chooses among the phases of a --dicom folder")
    if dicom_results and dicom is None:
        raise typer.BadParameter("--dicom-results needs an exam from --dicom")
    bundle = load_bundle(find_bundle(model))
    bundle.operating_point(operating_point)
    if cohort is not None:
        _predict_cohort(cohort, load_predictor(bundle, device), operating_point, out, each)
        return
    from .dicom.exam import read_dicom_exam
    from .dicom.results import check_possible
    from .outputs import write_prediction
    from .reading.images import read_exam

    given = read_clinical_words(clinical, bundle.schema)
    if dicom is not None:
        exam = read_dicom_exam(dicom, mask, pick=tuple(pick) or None, clinical=given, label=label)
        if dicom_results:
            check_possible(exam)
    else:
        exam = read_exam(phases, mask, clinical=given, label=label)
    prediction = load_predictor(bundle, device).predict(exam, operating_point)
    write_prediction(exam, prediction, out, show_patient_id=show_patient_id, dicom=dicom_results)
    show_result(prediction, out)


@bundle_app.command("list")
def bundle_list() -> None:
    """List the models that come with this program."""
    for name, path in bundled_models().items():
        card = load_bundle(path).card
        console.print(f"{name} {card.version}: {card.description}", soft_wrap=True)


@bundle_app.command("info")
def bundle_info(model: Annotated[str, typer.Argument(help="Bundle folder or bundled model.")] = DEFAULT_MODEL) -> None:
    """Show what a model is, what it was trained on and what it may be used for."""
    bundle = load_bundle(find_bundle(model))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name in ("name", "version", "description", "training_data", "licence", "intended_use", "not_intended_use"):
        table.add_row(name.replace("_", " "), str(getattr(bundle.card, name)))
    table.add_row("known limits", bundle.card.known_limits)
    table.add_row("clinical", "\n".join(f"{v.name}: {v.allowed}" for v in bundle.schema.asked))
    points = [f"{p.name}: {p.threshold:.3f}" for p in bundle.settings.operating_points]
    rates = [(p.sensitivity, p.specificity) for p in bundle.settings.operating_points]
    for k, (sensitivity, specificity) in enumerate(rates):
        if sensitivity is not None and specificity is not None:
            points[k] += f" (sensitivity {sensitivity:.2f}, specificity {specificity:.2f})"
    table.add_row("operating points", "\n".join(points))
    table.add_row(
        "metrics", "\n".join(f"{name}: {describe_metric(value)}" for name, value in bundle.card.metrics.items())
    )
    table.add_row("folds", str(len(bundle.folds)))
    console.print(table)
    console.print(f"checksum {bundle.checksum}", soft_wrap=True)


@bundle_app.command("verify")
def bundle_verify(
    model: Annotated[str, typer.Argument(help="Bundle folder or bundled model.")] = DEFAULT_MODEL,
) -> None:
    """Check that no file of a model is missing or changed, and that its weights load."""
    bundle = load_bundle(find_bundle(model))
    bundle.load_networks()
    console.print(f"{bundle.path}: intact, {len(bundle.folds)} folds, checksum {bundle.checksum}", soft_wrap=True)


@bundle_app.command("export")
def bundle_export(
    archive: Annotated[Path, typer.Argument(help="Zip file to write.")],
    model: ModelOption = DEFAULT_MODEL,
) -> None:
    """Pack a model into a zip file to hand on."""
    export_bundle(find_bundle(model), archive)
    console.print(f"Written to {archive}", soft_wrap=True)


def show_result(prediction: Prediction, out: Path) -> None:
    """The result in a few lines; the last one says where the files are."""
    point = prediction.operating_point
    low, high = prediction.interval
    console.print(
        f"pCR probability {prediction.probability:.2f} (folds {low:.2f} to {high:.2f}): {prediction.decision} "
        f"at the operating point {point.name!r}, threshold {point.threshold:.2f}",
        soft_wrap=True,
    )
    console.print(f"attention inside the tumour {prediction.attention_summary.in_tumour:.0%}")
    for notice in prediction.notices:
        console.print(f"warning: {notice.message}", soft_wrap=True)
    model = prediction.model
    console.print(f"Research use only. Model {model.name} {model.version}: {model.intended_use}", soft_wrap=True)
    console.print(f"Written to {out}", soft_wrap=True)


def run(application: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; an error in the data is one line on standard error."""
    try:
        _take_any_letter()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does, with nothing left behind
        if is_child():
            end_with_parent()
        code = application(arguments, standalone_mode=True)
    except DataError as error:
        sys.stderr.write(f"pcr: {error}\n")
        return 1
    except SystemExit as stop:
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return 130
    return int(code or 0)


def main() -> None:
    """Entry point without the training commands."""
    sys.exit(run(app))


def load_predictor(bundle: Bundle, device: str = "cpu") -> Predictor:
    """A predictor; torch is loaded here, and not before."""
    from .model.predictor import Predictor

    return Predictor(bundle, device)


def _take_any_letter() -> None:
    """Letters that a terminal or a file cannot show are written as numbers, rather than ending the command.

    On Windows the C library opens files by names in UTF-8 only when it is told to; SimpleITK opens them through it.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.platform == "win32":
        with contextlib.suppress(locale.Error):  # Windows before 2018
            locale.setlocale(locale.LC_CTYPE, ".UTF8")


def _predict_cohort(cohort: Path, predictor: Predictor, operating_point: str | None, out: Path, each: bool) -> None:
    from .outputs import TABLE, predict_cohort
    from .reading.cohort import find_patients

    def predict_exam(exam: Exam) -> Prediction:
        return predictor.predict(exam, operating_point)

    patients = find_patients(cohort)
    tell("patients", count=len(patients))
    failed = predict_cohort(track(patients, "Predicting", console=console), predict_exam, out, each=each)
    console.print(f"{len(patients) - failed} of {len(patients)} patients predicted, {failed} failed")
    console.print(f"Written to {out / TABLE}", soft_wrap=True)


if __name__ == "__main__":
    main()
