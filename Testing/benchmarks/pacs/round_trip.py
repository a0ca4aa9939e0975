"""Studies in the styles of several vendors, and a real exam, from files into Orthanc and back: the table of `pacs.md`.

    .venv/bin/python Testing/benchmarks/pacs/round_trip.py [--real ../shared/exams/duke_153/dicom]

Each study is predicted as files and from the PACS, its results are stored twice, and read back as the mask of the same
prediction. Needs Orthanc with its DICOMweb plugin: apt-get install orthanc orthanc-dicomweb.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from PCRPredictorLib.calls.one_exam import predict_exam
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.pacs.connection import Connection
from PCRPredictorLib.pacs.predicting import StudyRequest, predict_study
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.reading.sources import given_source
from support.pacs.connected import connected
from support.pacs.orthanc import Orthanc
from support.pacs.round_trip import make_round_trip, write_mask_beside
from support.vendors.styles import DICOM_STYLES, Acquisition

BOX = (slice(23, 42), slice(47, 83), slice(90, 125))  # k, j, i: published of the real exam
TIMES = (0.0, 75.0, 150.0, 270.0, 390.0)  # s
HEAD = ("study", "images", "from files", "from PACS", "stored", "again", "read back", "relations", "s")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, help="folder of the whole exam Breast_MRI_153 of Duke")
    parser.add_argument("--model", default="ispy2")
    given = parser.parse_args()
    predictor = Predictor(load_bundle(find_bundle(given.model)))
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    with tempfile.TemporaryDirectory() as folder:
        orthanc = Orthanc(Path(folder) / "orthanc").start()
        try:
            connection = connected(Path(folder), orthanc.url).connection
            for name, write in _studies(given.real):
                orthanc.clear()
                print(
                    _row(name, write, orthanc, connection, predictor, Path(folder) / name.replace(" ", "_")), flush=True
                )
        finally:
            orthanc.stop(kill=True)


def _studies(real: Path | None) -> list[tuple[str, Callable[[Path], tuple[Path, Path]]]]:
    """Return names of studies, and what writes each into a folder: the folder of its images, and its mask."""
    exam = make_exam(seed=3, full=False)
    phases = [np.rint(p).astype(np.int16) for p in (exam.pre, exam.early, exam.early, exam.late, exam.late)]
    acquisition = Acquisition(tuple(phases), exam.geometry, TIMES)

    def styled(write: Callable[[Path, Acquisition], None]) -> Callable[[Path], tuple[Path, Path]]:
        def made(folder: Path) -> tuple[Path, Path]:
            write(folder / "images", acquisition)
            return folder / "images", write_mask_beside(
                folder / "images", exam.geometry, exam.mask, folder / "mask.dcm"
            )

        return made

    def from_real(folder: Path) -> tuple[Path, Path]:
        exam = read_dicom_exam(real)
        mask = np.zeros(exam.geometry.shape, np.uint8)
        mask[BOX] = exam.early[BOX] > 1.7 * exam.pre[BOX]
        return real, write_mask_beside(real, exam.geometry, mask, folder / "mask.dcm", 990)

    studies = [(name, styled(write)) for name, write in DICOM_STYLES.items()]
    return [*studies, ("real exam", from_real)] if real else studies


def _row(
    name: str,
    write: Callable[[Path], tuple[Path, Path]],
    orthanc: Orthanc,
    connection: Connection,
    predictor: Predictor,
    folder: Path,
) -> str:
    """Return a line of the table."""
    folder.mkdir()
    images, mask = write(folder)
    files = sum(path.is_file() for path in images.rglob("*"))
    start = time.monotonic()
    try:
        found = make_round_trip(orthanc, connection, images, mask, predictor, folder / "out")
    except DataError as error:
        return (
            f"| {name} | {files} | {_without_results(images, mask, connection, orthanc, predictor, folder)} | {error} |"
        )
    seconds = time.monotonic() - start
    request = StudyRequest(study=orthanc.studies()[0], segmentation="9500", store=True)
    back = predict_study(connection, request, predictor, folder / "back")
    cells = (
        name,
        files,
        f"{found.from_files:.6f}",
        f"{found.from_pacs:.6f}",
        f"{found.states.count('stored')} of 4",
        f"{found.states_again.count('stored')} of 4",
        f"{back.predicted.prediction.probability:.6f}",
        "; ".join(found.faults) or "right",
        f"{seconds:.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _without_results(
    images: Path, mask: Path, connection: Connection, orthanc: Orthanc, predictor: Predictor, folder: Path
) -> str:
    """Return both probabilities of a study that cannot have results in DICOM."""
    exam = given_source([], images).with_overrides(mask, {}, ()).read()
    expected = predict_exam(exam, predictor).prediction.probability
    found = predict_study(connection, StudyRequest(study=orthanc.studies()[0]), predictor, folder / "plain")
    return f"{expected:.6f} | {found.predicted.prediction.probability:.6f}"


if __name__ == "__main__":
    main()
