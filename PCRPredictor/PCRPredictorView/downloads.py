"""The files of a result that a browser downloads, in the page's own folder."""

from __future__ import annotations

import asyncio
import zipfile
from functools import partial
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.outputs import MASK, MASK_DICOM, write_prediction, write_tumour
from PCRPredictorLib.session.result import Result
from PCRPredictorLib.session.session import Session

from .work import Work


class Downloads:
    """Write the report, an archive of every file of the result, and the tumour mask.

    Args:
        folder: of the page's own.
    """

    def __init__(self, work: Work, session: Session, folder: Path) -> None:
        self._work, self._session, self._folder = work, session, folder
        self._written: Result | None = None  # whose files are in the folder
        self._writing = asyncio.Lock()

    async def write(self, name: str) -> None:
        """Write the files, among them the one of that name, unless they are there already.

        Raises:
            DataError: if there is no result or no tumour, or it cannot be written.
        """
        async with self._writing:
            if name in (MASK, MASK_DICOM):
                exam = self._session.tumour.exam_to_save()
                await self._work.run_in_thread(partial(write_tumour, exam, self._folder / name))
                return
            result = self._session.result
            if result is None:
                raise DataError("there is no result to write; predict first")
            if self._written is not result or not (self._folder / name).is_file():
                await self._work.run_in_thread(partial(_write, result, self._folder))
                self._written = result


def _write(result: Result, folder: Path) -> None:
    """Write the files of `pcr predict`, the report apart, and all of them packed.

    Both are replaced at once, because a browser may still be reading the last ones.
    """
    files, packed, report = folder / "result", folder / "result.zip.new", folder / "report.html.new"
    write_prediction(result.exam, result.prediction, files, scene=False)
    if result.is_from_dicom:
        _add_segmentation(result, files)
    stored = zipfile.ZIP_STORED  # pictures and gzip are packed already
    with zipfile.ZipFile(packed, "w", stored) as archive:
        for path in sorted(files.iterdir()):
            archive.write(path, f"pcr-result/{path.name}")
    report.write_bytes((files / "report.html").read_bytes())
    for path in (packed, report):
        path.replace(path.with_suffix(""))


def _add_segmentation(result: Result, folder: Path) -> None:
    """Add the mask as a DICOM Segmentation; if that is not possible, a file says why."""
    reason = folder / f"{MASK_DICOM}.not-written.txt"
    for path in (folder / MASK_DICOM, reason):
        path.unlink(missing_ok=True)
    try:
        write_tumour(result.exam, folder / MASK_DICOM)
    except DataError as error:
        reason.write_text(f"{error}\n", encoding="utf-8")
