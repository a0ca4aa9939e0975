"""The files of a result that a browser downloads, in the page's own folder."""

from __future__ import annotations

import asyncio
import shutil
import zipfile
from functools import partial
from pathlib import Path

from PCRPredictorLib.dicom.objects.results import write_dicom_results
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.follow.files import write_follow_up
from PCRPredictorLib.outputs import MASK, MASK_DICOM, REPORT, write_prediction, write_tumour
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.runner import Answer
from PCRPredictorLib.session.result import Result
from PCRPredictorLib.session.session import Session

from .work import Work

FOLLOW_UP = ("follow.html", "follow.zip")
AS_DICOM = "dicom.zip"
NAMES = {  # of every download, in words
    "report.html": "the report",
    "result.zip": "all files of the result",
    AS_DICOM: "the result as DICOM",
    MASK: "the tumour mask",
    MASK_DICOM: "the tumour mask as DICOM",
    "follow.html": "the report of the follow-up",
    "follow.zip": "all files of the follow-up",
}


class Downloads:
    """Write the report, an archive of every file of the result, and the tumour mask.

    Args:
        folder: of the page's own.
    """

    def __init__(self, work: Work, session: Session, analysis: Analysis, folder: Path) -> None:
        self._work, self._session, self._analysis, self._folder = work, session, analysis, folder
        self._written: tuple[Result, bool] | None = None  # whose files are in the folder, and if they name the patient
        self._followed: tuple[Answer, bool] | None = None  # the same of the follow-up
        self._writing = asyncio.Lock()

    async def write(self, name: str) -> int:
        """Write the files, among them the one of that name, unless they are there already; return its bytes.

        Raises:
            DataError: if there is no result or no tumour, or it cannot be written.
        """
        async with self._writing:
            await self._write(name)
            return (self._folder / name).stat().st_size

    async def _write(self, name: str) -> None:
        if name in (MASK, MASK_DICOM):
            exam = self._session.tumour.exam_to_save()
            await self._work.run_in_thread(partial(write_tumour, exam, self._folder / name))
            return
        if name in FOLLOW_UP:
            await self._write_follow_up(name)
            return
        result = self._session.result
        if result is None:
            raise DataError("there is no result to write; predict first")
        if name == AS_DICOM:
            await self._work.run_in_thread(partial(_write_dicom, result, self._folder / name))
            return
        wanted = result, self._session.named
        if not _is_same(self._written, wanted) or not (self._folder / name).is_file():
            await self._work.run_in_thread(partial(_write, *wanted, self._folder))
            self._written = wanted

    async def _write_follow_up(self, name: str) -> None:
        answer = self._analysis.answer
        if answer is None:
            raise DataError("there is nothing of the follow-up to write; measure or predict first")
        wanted = answer, self._session.named
        if not _is_same(self._followed, wanted) or not (self._folder / name).is_file():
            files = self._folder / "follow-up"
            options = {**self._analysis.options(answer), "dicom": self._analysis.is_from_dicom}
            write = partial(write_follow_up, answer.course, answer.prediction, files, **options)
            await self._work.run_in_thread(write)
            await self._work.run_in_thread(
                partial(_pack, files, self._folder / "follow.html", self._folder / "follow.zip")
            )
            self._followed = wanted


def _is_same(written: tuple[object, bool] | None, wanted: tuple[object, bool]) -> bool:
    return written is not None and written[0] is wanted[0] and written[1] == wanted[1]


def _write(result: Result, named: bool, folder: Path) -> None:
    """Write the files of `pcr predict`, the report apart, and all of them packed.

    Both are replaced at once, because a browser may still be reading the last ones.
    """
    files = folder / "result"
    write_prediction(result.exam, result.prediction, files, scene=False, show_patient_id=named)
    if result.is_from_dicom:
        _add_segmentation(result, files)
    _pack(files, folder / "report.html", folder / "result.zip")


def _pack(files: Path, report: Path, packed: Path) -> None:
    """Put the report of a folder beside it, and all of its files into an archive."""
    new = report.with_name(f"{report.name}.new")
    new.write_bytes((files / REPORT).read_bytes())
    _archive(files, packed)
    new.replace(report)


def _archive(files: Path, packed: Path) -> None:
    """Put all files of a folder into an archive, which is replaced at once."""
    new = packed.with_name(f"{packed.name}.new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_STORED) as archive:  # pictures and gzip are packed already
        for path in sorted(file for file in files.rglob("*") if file.is_file()):
            archive.write(path, f"pcr-{packed.stem}/{path.relative_to(files).as_posix()}")
    new.replace(packed)


def _write_dicom(result: Result, packed: Path) -> None:
    """Write what `pcr predict --dicom-results` writes, packed.

    Raises:
        DataError: if the exam does not come from DICOM, or it cannot be written.
    """
    if not result.is_from_dicom:
        raise DataError("results can be written as DICOM only for an exam from DICOM files; open its DICOM folder")
    files = packed.with_suffix("")
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    write_dicom_results(result.exam, result.prediction, files)
    _archive(files, packed)


def _add_segmentation(result: Result, folder: Path) -> None:
    """Add the mask as a DICOM Segmentation; if that is not possible, a file says why."""
    reason = folder / f"{MASK_DICOM}.not-written.txt"
    for path in (folder / MASK_DICOM, reason):
        path.unlink(missing_ok=True)
    try:
        write_tumour(result.exam, folder / MASK_DICOM)
    except DataError as error:
        reason.write_text(f"{error}\n", encoding="utf-8")
