"""`pcr predict`: one exam, or a whole cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..calls.one_exam import predict_exam, with_tumour
from ..exam import Provenance
from ..formatting import format_percent
from ..model.bundle import find_bundle, load_bundle
from ..report.effect_words import describe_interventions
from ..report.measured import describe_measurements
from ..report.source_words import describe_left_aside, describe_phases
from ..report.trust_words import describe_calibration
from ..report.wording import (
    bears_on_result,
    describe_base_rate,
    describe_decision,
    describe_lesion,
    describe_model,
    describe_probability,
    describe_ranges,
)
from .options import (
    DEFAULT_MODEL,
    ClusterOption,
    DeviceOption,
    ModelOption,
    WorkersOption,
    load_predictor,
    print_line,
    takes,
    working,
)
from .predict_cohort import Wanted, predict_patients
from .scene_process import scene_beside

CohortOption = Annotated[
    Path | None, typer.Option(help="Folder of a whole cohort, in the MAMA-MIA layout or with a cohort.json.")
]
SeriesOption = Annotated[
    list[Path],
    typer.Option(help="All phases: one 4-D file, a folder with a file for each, or the files in order of time."),
]
PointOption = Annotated[str | None, typer.Option(help="Operating point for the decision; default: the model's first.")]

if TYPE_CHECKING:
    from ..calls.one_exam import PredictedExam
    from ..curves.summary import LesionKinetics
    from ..finding.find import Candidate
    from ..model.bundle import Bundle
    from ..prediction import Prediction


@dataclass(frozen=True)
class Words:
    """The options of a prediction of one exam, from files or from a PACS."""

    label: Annotated[
        list[str],
        typer.Option(help="Values, or names of segments, of the tumours in a mask of several; all for each of them."),
    ] = field(default_factory=list)
    find_tumour: Annotated[bool, typer.Option("--find-tumour", help="Find the tumour; nobody reviews it.")] = False
    click: Annotated[list[float], typer.Option(help="Grow the tumour from here: X Y Z, LPS mm.")] = field(
        default_factory=list
    )
    box: Annotated[list[float], typer.Option(help="Grow the tumour in this box: X Y Z X Y Z, two corners, LPS mm.")] = (
        field(default_factory=list)
    )
    click_anyway: Annotated[bool, typer.Option("--click-anyway", help="Even if it looks like no mass.")] = False
    clinical: Annotated[
        list[str],
        typer.Option(help="CSV or JSON file, or pairs: age=52 hr=positive; pcr bundle info lists the names."),
    ] = field(default_factory=list)
    model: ModelOption = DEFAULT_MODEL
    operating_point: PointOption = None
    pick: Annotated[
        list[int], typer.Option(help="Indices (from 0) of the phases to use as pre, early and late: 0 1 3.")
    ] = field(default_factory=list)
    show_patient_id: Annotated[bool, typer.Option("--show-patient-id", help="Name the patient in the report.")] = False
    does_it_matter: Annotated[
        bool,
        typer.Option("--does-it-matter", help="Also erase the tumour and a patch elsewhere, and swap the background."),
    ] = False
    device: DeviceOption = "cpu"

    def check_tumour(self, mask: bool) -> None:
        """Refuse several tumours, clicks that are no position, and boxes that have not two corners.

        Args:
            mask: a mask is named.
        """
        if mask + self.find_tumour + bool(self.click) + bool(self.box) > 1:
            raise typer.BadParameter("give at most one of --mask, --find-tumour, --click and --box")
        if len(self.click) not in (0, 3):
            raise typer.BadParameter(f"--click must have three numbers, X Y Z in mm, got {len(self.click)}")
        if len(self.box) not in (0, 6):
            raise typer.BadParameter(
                f"--box must have six numbers, X Y Z X Y Z of two corners in mm, got {len(self.box)}"
            )
        if self.click_anyway and not (self.click or self.box):
            raise typer.BadParameter("--click-anyway is for a --click or a --box")

    def load_bundle(self) -> Bundle:
        """Return the model, which has the operating point that is named."""
        bundle = load_bundle(find_bundle(self.model))
        bundle.operating_point(self.operating_point)
        return bundle


@takes(Words)
def predict(
    words: Words,
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    phases: Annotated[list[Path], typer.Option(help="Three files: PRE EARLY LATE (NIfTI, NRRD, MHA).")] = [],  # noqa: B006
    dicom: Annotated[Path | None, typer.Option(help="Folder with the DICOM files of one exam.")] = None,
    cohort: CohortOption = None,
    series: SeriesOption = [],  # noqa: B006
    mask: Annotated[Path | None, typer.Option(help="Tumour mask on the grid of the phases, or a DICOM SEG.")] = None,
    each: Annotated[bool, typer.Option("--each", help="With --cohort, also write each patient's files.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a --cohort that was stopped.")] = False,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    dicom_results: Annotated[
        bool, typer.Option("--dicom-results", help="Also write DICOM objects for a PACS; needs --dicom.")
    ] = False,
) -> None:
    """Predict one exam, from files or DICOM, or a whole cohort."""
    kinds = {"--phases": phases, "--series": series, "--dicom": dicom, "--cohort": cohort}
    place = words.find_tumour or words.click or words.box
    of_one = mask or words.label or place or words.clinical or words.show_patient_id
    of_many = {"--each": each, "--resume": resume, "--workers": workers, "--cluster": cluster}
    given = [name for name, value in kinds.items() if value]
    _check_words(given, bool(of_one), bool(words.pick), of_many, dicom_results)
    words.check_tumour(mask is not None)
    bundle = words.load_bundle()
    if cohort is not None:
        wanted = Wanted(words.operating_point, words.does_it_matter, words.device, each)
        predict_patients(cohort, bundle, out, wanted, cluster, workers, resume=resume)
        return
    from ..reading.clinical import read_clinical_words
    from ..reading.sources import given_source

    known = read_clinical_words(words.clinical, bundle.schema, print_line)
    source = given_source(phases, dicom, words.pick, series).with_overrides(mask, known, words.label)
    with working("reading") as show, scene_beside() as scene_writer:
        exam = source.read()
        predictor = load_predictor(bundle, words.device)  # a missing device is reported before a search
        exam, candidates = with_tumour(exam, words.find_tumour, words.click or words.box, words.click_anyway)
        print_candidates(candidates)
        show("predicting")
        point, matter = words.operating_point, words.does_it_matter
        found = predict_exam(exam, predictor, point, does_it_matter=matter, dicom=dicom_results)
        found.write(out, show_patient_id=words.show_patient_id, dicom=dicom_results, scene_writer=scene_writer)
    print_found(found, out)


def _check_words(
    kinds: list[str], of_one_exam: bool, pick: bool, of_many: Mapping[str, object], dicom_results: bool
) -> None:
    """Refuse options that do not go together."""
    if len(kinds) != 1:
        raise typer.BadParameter("give exactly one of --phases, --series, --dicom and --cohort")
    if kinds == ["--cohort"] and of_one_exam:
        raise typer.BadParameter(
            "--mask, --label, --find-tumour, --click, --box, --clinical and --show-patient-id are for one exam, "
            "not a --cohort"
        )
    if (given := [name for name, value in of_many.items() if value]) and kinds != ["--cohort"]:
        raise typer.BadParameter(f"{given[0]} is for a --cohort")
    if pick and kinds[0] not in ("--series", "--dicom"):
        raise typer.BadParameter("--pick chooses among the phases of --series or of a --dicom folder")
    if dicom_results and kinds != ["--dicom"]:
        raise typer.BadParameter("--dicom-results needs an exam from --dicom")


def print_candidates(candidates: Sequence[Candidate]) -> None:
    """Print the places that look like a tumour, the most suspicious first."""
    for number, candidate in enumerate(candidates, 1):
        where = " ".join(f"{mm:.1f}" for mm in candidate.position)
        print_line(f"candidate {number} at {where}: {', '.join(candidate.reasons)}")


def print_found(found: PredictedExam, out: Path) -> None:
    """Print what was read and what was found; the last line names the folder."""
    print_source(found.exam.provenance)
    print_result(found.prediction, out, found.kinetics)


def print_source(provenance: Provenance) -> None:
    """Print the phases with their times, and what was not used, if known."""
    if phases := describe_phases(provenance):
        print_line(f"phases: {phases}")
    for line in describe_left_aside(provenance.left_aside):
        print_line(f"not used: {line}")


def print_result(prediction: Prediction, out: Path, kinetics: LesionKinetics | None = None) -> None:
    """Print the result in a few lines; the last one names the folder."""
    shown = f"{describe_probability(prediction)} ({describe_ranges(prediction)})"
    if prediction.reasons_against:
        print_line(f"No decision: {prediction.decision_withheld}")
        print_line(f"pCR probability, not to be relied on: {shown}")
    else:
        base = describe_base_rate(prediction)
        print_line(f"pCR probability {shown}" + (f"; {base}" if base else ""))
        print_line(describe_decision(prediction))
    notices = [notice for notice in prediction.notices if not notice.blocks_decision]
    for notice in filter(bears_on_result, notices):
        print_line(f"warning: {notice.message}")
    print_line(describe_model(prediction.model))
    print_line(describe_calibration(prediction.model))
    print_line(f"attention inside the tumour {format_percent(prediction.attention_summary.in_tumour)}")
    if matters := describe_interventions(prediction):
        print_line(matters)
    for name, text in describe_measurements(prediction.measurements).items():
        print_line(f"{name.lower()}: {text}")
    for name, text in kinetics.describe().items() if kinetics is not None else ():
        print_line(f"{name[0].lower()}{name[1:]}: {text}")
    for notice in notices:
        if not bears_on_result(notice):
            print_line(f"warning: {notice.message}")
    for lesion in prediction.lesions[1:]:
        print_line(f"lesion {describe_lesion(lesion)}")
        for notice in lesion.prediction.notices:
            print_line(f"warning about {lesion.name}: {notice.message}")
    print_line(prediction.model.use)
    print_line(f"Result {prediction.name}, as in its report")
    print_line(f"Written to {out}")
