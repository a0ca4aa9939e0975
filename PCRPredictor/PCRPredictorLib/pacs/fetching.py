"""The images of a study, and its segmentation, as files: all of them or none (WADO-RS)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pydicom
import requests
from pydicom.uid import ExplicitVRLittleEndian

from ..dicom.datasets import read_dataset
from ..dicom.decoding import can_decode
from ..dicom.headers import tag_integer, tag_text
from ..errors import DataError
from ..formatting import count
from ..writing import whole_folder
from .connection import Connection
from .errors import PacsError, explain
from .parts import save_parts
from .studies import find_instances
from .study import OURS, Series, Study

EXAM, SEGMENTATION = "exam", "segmentation.dcm"  # in the folder
NONE = "none"  # instead of a segmentation
_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_PLAIN = f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'
_NO_CHOICE = (400, 406, 415)  # of a PACS that sends no image as it is stored
_TAGS = ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Manufacturer", "NumberOfFrames"]


@dataclass(frozen=True)
class Fetched:
    """A study on this computer.

    Args:
        folder: with the images, for `DicomSource`.
        segmentation: file with the tumour mask, None without one.
        mask_from: series of the segmentation, None without one.
        notes: sentences about what was chosen and what was not fetched.
    """

    study: Study
    folder: Path
    segmentation: Path | None = None
    mask_from: Series | None = None
    notes: tuple[str, ...] = ()


def fetch_study(
    connection: Connection,
    study: Study,
    folder: Path,
    series: Sequence[str] = (),
    segmentation: str = "",
) -> Fetched:
    """Fetch the images of a study, and its segmentation, into a folder: all of them or none.

    Args:
        study: with its series, see `find_study`.
        folder: that gets `exam` and `segmentation.dcm`.
        series: UIDs or numbers of the series with the phases; empty for all MR images.
        segmentation: UID or number of the series with the mask, which may be a result of this software; "" for the
            study's own if it has one, "none" for none.

    Raises:
        PacsError: if not all of them come.
        DataError: if there are no images, several segmentations, or the folder cannot be written.
    """
    images, mask = choose_images(study, series), choose_segmentation(study, segmentation)
    if any((folder / name).exists() for name in (EXAM, SEGMENTATION)):
        raise DataError(f"{folder}: holds an exam already; choose a different folder")
    notes = list(_notes(study, images, mask))
    with warnings.catch_warnings(), whole_folder(folder) as staging:
        warnings.simplefilter("ignore", UserWarning)  # of pydicom, about values that the standard does not allow
        (staging / EXAM).mkdir()
        for number, each in enumerate(images, 1):
            _fetch_series(connection, study.uid, each, staging / EXAM / f"{number:03d}")
        if mask is not None:
            _fetch_mask(connection, study.uid, mask, staging / SEGMENTATION, by_hand=bool(segmentation))
    found = folder / SEGMENTATION if mask is not None else None
    return Fetched(study, folder / EXAM, found, mask, tuple(notes))


def choose_images(study: Study, wanted: Sequence[str] = ()) -> list[Series]:
    """Return the series of images that are fetched: those that are named, else all MR.

    Raises:
        DataError: if there are none.
    """
    if wanted:
        return [_named(study, word, "--series") for word in wanted]
    found = [one for one in study.series if one.modality in ("MR", "") and not one.is_ours and one.images != 0]
    if not found:
        kinds = ", ".join(sorted({one.modality for one in study.series})) or "no series"
        raise DataError(f"study {study.uid} has no MR images, only {kinds}; choose a study with breast DCE-MRI")
    return found


def choose_segmentation(study: Study, wanted: str = "") -> Series | None:
    """Return the series of the mask: the one that is named, else the study's only one that is no result of ours.

    Raises:
        DataError: if there are several, or the one that is named is not there.
    """
    if wanted == NONE:
        return None
    if wanted:
        return _named(study, wanted, "--segmentation")
    found = study.segmentations
    if len(found) > 1:
        names = "; ".join(f"{one}, {one.uid}" for one in found)
        raise DataError(f"study {study.uid} has {len(found)} segmentations: {names}; choose one with --segmentation")
    return found[0] if found else None


def _named(study: Study, word: str, option: str) -> Series:
    """Return the series with a UID or number."""
    found = [one for one in study.series if word in (one.uid, str(one.number))]
    if len(found) != 1:
        names = ", ".join(map(str, study.series[:20]))
        which = "several series" if found else "no series"
        raise DataError(
            f"study {study.uid} has {which} {word}, it has {names}; give the UID or number of one as {option}"
        )
    return found[0]


def _notes(study: Study, images: Sequence[Series], mask: Series | None) -> Iterable[str]:
    """Yield what was chosen, and the series that are not fetched."""
    if mask is not None:
        yield f"the tumour mask is {mask}"
    others = [one for one in study.series if one not in images and one is not mask]
    if ours := [one for one in others if one.is_ours]:
        yield f"{count(len(ours), 'result')} of an earlier prediction not used"
    if rest := [one for one in others if not one.is_ours]:
        yield "not fetched: " + ", ".join(f"{one} [{one.modality or '?'}]" for one in rest)


def _fetch_series(connection: Connection, study: str, series: Series, folder: Path) -> None:
    """Write all images of a series into a new folder; after a cut, those that are missing are asked for one by one."""
    folder.mkdir()
    expected = find_instances(connection, study, series.uid)
    if not expected:
        raise PacsError(f"the PACS at {connection.place} lists no images of {series}; try again", may_pass=True)
    path, of = f"studies/{study}/series/{series.uid}", (study, series.uid)
    kept: dict[str, Path] = {}
    connection.say(f"fetching {series}, {count(len(expected), 'image')}")
    try:
        _fetch(connection, path, of, folder, kept)
    except PacsError as problem:
        if not problem.may_pass:
            raise
        connection.say(f"{problem}; {len(kept)} of {len(expected)} images are here, the others are asked for singly")
    for uid in expected:
        if uid not in kept:
            connection.attempt(lambda at=f"{path}/instances/{uid}": _fetch(connection, at, of, folder, kept))  # type: ignore[misc]
    if missing := len(expected.keys() - kept.keys()):
        raise PacsError(
            f"the PACS at {connection.place} does not send {missing} of {len(expected)} images of {series}; try again",
            may_pass=True,
        )


def _fetch_mask(connection: Connection, study: str, series: Series, path: Path, *, by_hand: bool) -> None:
    """Write the only segmentation of a series."""
    uids = find_instances(connection, study, series.uid)
    if len(uids) != 1:
        raise DataError(
            f"{series} must hold one segmentation, got {len(uids)}; fetch it by itself and give the file as --mask"
        )
    (uid,) = uids
    kept: dict[str, Path] = {}
    with TemporaryDirectory(dir=path.parent) as folder:
        at = f"studies/{study}/series/{series.uid}/instances/{uid}"
        connection.attempt(lambda: _fetch(connection, at, (study, series.uid), Path(folder), kept))
        if uid not in kept:
            raise PacsError(f"the PACS at {connection.place} does not send the segmentation; try again", may_pass=True)
        header = read_dataset(kept[uid], stop_before_pixels=True, specific_tags=_TAGS)
        if not by_hand and tag_text(header, "Manufacturer") == OURS:
            raise DataError(f"{series} is a result of this software; give the mask with --mask, or find the tumour")
        kept[uid].rename(path)


def _fetch(connection: Connection, path: str, of: tuple[str, str], folder: Path, kept: dict[str, Path]) -> None:
    """Write the images of an answer into a folder and note them by UID; those that cannot be decoded are asked again.

    Raises:
        PacsError: if the answer is not what was asked for, or ends early.
    """
    try:
        unreadable = _take(connection, path, _AS_STORED, of, folder, kept)
    except PacsError as problem:
        if problem.status not in _NO_CHOICE:
            raise
        unreadable = _take(connection, path, _PLAIN, of, folder, kept)
    if unreadable:
        connection.say("some images are compressed in a way that cannot be read here; the PACS is asked to unpack them")
        left = _take(connection, path, _PLAIN, of, folder, kept)
        if left:
            raise PacsError(f"the PACS at {connection.place} sends images compressed as {left}; have it unpack them")


def _take(
    connection: Connection, path: str, accept: str, of: tuple[str, str], folder: Path, kept: dict[str, Path]
) -> str:
    """Keep the images of one answer that are of a study and series.

    Returns:
        The name of a compression that cannot be read, "" for none.
    """
    unreadable, others = "", 0
    try:
        with TemporaryDirectory(dir=folder) as staging, connection.open(path, accept) as response:
            content_type = response.headers.get("content-type", "")
            for part in save_parts(connection.chunks(response), content_type, Path(staging)):
                header = _header(part, connection.place)
                uid = tag_text(header, "SOPInstanceUID")
                if tag_text(header, "StudyInstanceUID") != of[0] or not uid:
                    raise PacsError(
                        f"the PACS at {connection.place} sends images of a different study; ask its administrator"
                    )
                if tag_text(header, "SeriesInstanceUID") != of[1]:
                    others += 1
                    part.unlink()
                    continue
                syntax = header.file_meta.get("TransferSyntaxUID")
                if syntax is not None and not can_decode(syntax, tag_integer(header, "NumberOfFrames") or 1):
                    unreadable = syntax.name
                    part.unlink()
                    continue
                target = kept.setdefault(uid, folder / f"{len(kept) + 1:06d}.dcm")
                part.replace(target)
    except requests.RequestException as error:
        raise explain(error, connection.place) from None
    if others:
        connection.say(f"the PACS also sends {count(others, 'image')} of a different series, which are left aside")
    return unreadable


def _header(part: Path, place: str) -> pydicom.Dataset:
    try:
        return read_dataset(part, stop_before_pixels=True, specific_tags=_TAGS)
    except Exception:  # damaged headers raise anything
        raise PacsError(f"the PACS at {place} sends something that is no DICOM file; ask its administrator") from None
