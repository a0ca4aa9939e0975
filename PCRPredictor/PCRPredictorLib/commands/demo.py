"""`pcr demo`: a full-size phantom exam, written to files, read back and predicted."""

from __future__ import annotations

import shlex
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from ..exam import PHANTOM, PHASE_NAMES
from ..formatting import as_whole
from ..model.bundle import find_bundle, load_bundle
from ..phantom.patient import make_exam
from ..reading.images import TIMES, read_exam
from ..reading.mask import add_mask
from ..writing import whole_folder, write_json, write_nifti
from .options import ModelOption, load_predictor, print_line, working
from .predict import print_result
from .scene_process import scene_beside

if TYPE_CHECKING:
    from ..model.predictor import Predictor
    from ..outputs import SceneWriter
    from ..prediction import Prediction


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the exam and the results.")] = Path("pcr-demo"),
    model: ModelOption = "phantom",
    seed: Annotated[int, typer.Option(min=0, help="Which phantom patient.")] = 1,
    story: Annotated[
        bool, typer.Option("--story", help="Instead, show where guided and unguided networks look: a page, a picture.")
    ] = False,
) -> None:
    """Make a full-size phantom exam and predict it with the model that was trained on phantoms."""
    if story:
        if (model, seed) != ("phantom", 1):
            raise typer.BadParameter("the story has its own networks and patient; leave out --model and --seed")
        show_story(out)
        return
    bundle = load_bundle(find_bundle(model))
    with working("loading the model") as show, scene_beside() as scene_writer:

        def report(line: str) -> None:
            print_line(line)
            show(line.removesuffix(" ..."))

        report(f"Loading the model {model} ...")
        prediction = write_demo(out, load_predictor(bundle), model, seed, report, scene_writer)
    print_result(prediction, out)
    print_line(_next_steps(out, model))
    view = context.find_root().command.get_command(context, "view")  # type: ignore[attr-defined]
    asked = view is not None and sys.stdin.isatty() and sys.stdout.isatty()
    if asked and typer.confirm("Open it in a browser now?", default=False):
        context.invoke(view, exams=[out], model=model, port=0)


def _next_steps(out: Path, model: str) -> str:
    """Return where the report is, how it is opened, and what comes next."""
    from ..outputs import REPORT

    view = shlex.join([str(out), "--model", model])
    return (
        f"Report: {out / REPORT}, to be opened in a browser; the exam with its map: pcr view {view}; an exam of your "
        "own: pcr predict --help"
    )


def show_story(out: Path) -> None:
    """Write the page and the picture of the story, and open the page if somebody sits at the terminal.

    Raises:
        DataError: if the folder cannot be written.
    """
    from ..story.tell import tell_story

    print_line("Scanning a simulated patient at two hospitals ...")
    with working("scanning"):
        page, picture = tell_story(out)
    print_line(f"The page, with a slider from step to step: {page}")
    print_line(f"The same in one picture: {picture}")
    if sys.stdin.isatty() and sys.stdout.isatty():
        webbrowser.open(page.resolve().as_uri())


def write_demo(
    out: Path,
    predictor: Predictor,
    model: str,
    seed: int,
    report: Callable[[str], object],
    scene_writer: SceneWriter,
) -> Prediction:
    """Write `out/exam` (three phases, tumour mask, clinical variables) and the files of its prediction.

    Args:
        model: name of the predictor's model on the command line.
        report: called with each line of progress.
        scene_writer: see `write_prediction`.

    Raises:
        DataError: if the folder cannot be written.
    """
    from ..outputs import write_prediction

    report("Making a simulated exam of 448 x 448 x 120 voxels, with a tumour ...")
    exam = make_exam(seed=seed)
    folder = out / "exam"
    with whole_folder(folder) as part:
        for name, array in zip((*PHASE_NAMES, "tumour"), (*exam.phases, np.asarray(exam.mask)), strict=True):
            write_nifti(array, exam.geometry, part / f"{name}.nii.gz", PHANTOM)
        write_json({name: as_whole(value) for name, value in exam.clinical.items()}, part / "clinical.json")
        if exam.provenance.phase_times is not None:
            write_json({"acquisition_times": list(exam.provenance.phase_times)}, part / TIMES)
    files = [folder / f"{name}.nii.gz" for name in PHASE_NAMES]
    words = ["--phases", *files, "--mask", folder / "tumour.nii.gz", "--clinical", folder / "clinical.json"]
    words += ["--model", model, "--out", out]
    report("The same by hand: pcr predict " + shlex.join(map(str, words)))
    report("Predicting it, and drawing where the model looks ...")
    read = add_mask(read_exam(files), folder / "tumour.nii.gz")
    read = replace(read, clinical=exam.clinical, provenance=exam.provenance)
    prediction = predictor.predict(read)
    write_prediction(read, prediction, out, scene_writer=scene_writer)
    return prediction
