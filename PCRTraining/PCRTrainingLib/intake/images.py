"""The images of a folder, and the part of each that its path says: a phase, a mask, something else."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PCRPredictorLib.dicom.segmentation import is_dicom
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import VISITS
from PCRPredictorLib.files.names import ending_of, is_hidden
from PCRPredictorLib.reading.images import read_header
from PCRPredictorLib.reading.labels import ENTERED

from .names import MASK, OTHER, PHASE, SERIES, UNKNOWN, Order, Said, common_start, read_name, split_number
from .visits import find_visits, of_visit

TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods")
_PROBED = 50  # files without an ending that is known, of which it is asked whether they are DICOM
_LEAST = 3  # phases of an exam
_FEW = 20  # more numbers than that are of patients, not of phases


@dataclass(frozen=True)
class Image:
    """One image.

    Args:
        parts: folders and stem of its path in the folder that is described.
        ending: of its name.
        kind: as in `names`.
        order: of a phase.
        rests: `parts` without the words that say the kind; patients differ in one of them.
    """

    parts: tuple[str, ...]
    ending: str
    kind: str = UNKNOWN
    order: Order | None = None
    rests: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Return the path of its folder in the folder that is described."""
        return "/".join(self.parts[:-1])

    @property
    def path(self) -> str:
        """Return the path in the folder."""
        return "/".join(self.parts) + self.ending


@dataclass(frozen=True)
class Contents:
    """What is in a folder.

    Args:
        images: of a folder with visits, those of the first.
        tables: files.
        dicom: number of DICOM files.
        links: number of links that lead out of the folder.
        visits: to the text that names them in the paths; empty without several visits.
    """

    images: tuple[Image, ...]
    tables: tuple[Path, ...]
    dicom: int = 0
    links: int = 0
    visits: Mapping[str, str] = field(default_factory=dict)


def list_contents(folder: Path) -> Contents:
    """List a folder, without files that systems leave behind; of images without a telling name the header is read."""
    images, tables, others, links = [], [], [], 0
    for file in _walk(folder):
        name = file.name
        if ending := ending_of(name):
            *folders, _ = file.relative_to(folder).parts
            images.append(Image((*folders, name[: len(name) - len(ending)]), name[len(name) - len(ending) :]))
            links += not file.resolve().is_relative_to(folder.resolve())
        elif name.lower().endswith(TABLES) and name != ENTERED:
            tables.append(file)
        elif file.suffix.lower() in ("", ".dcm", ".ima") or file.suffix[1:].isdigit():
            others.append(file)
    probe = others[:: max(1, len(others) // _PROBED)]
    share = sum(map(is_dicom, probe)) / max(1, len(probe))
    visits, kinds = _of_first_visit(images)
    found = tuple(_with_series(folder, image) for image in kinds)
    return Contents(found, tuple(tables), round(share * len(others)), links, visits)


def _of_first_visit(images: Sequence[Image]) -> tuple[dict[str, str], list[Image]]:
    """Return the visits and the images of the first with their kinds; no visits and all images if it lacks masks."""
    visits, every = find_visits([image.parts for image in images]), read_kinds(images)
    if not visits:
        return {}, every
    first = of_visit((image.parts for image in images), visits, VISITS[0])
    kinds = read_kinds([image for image, use in zip(images, first, strict=True) if use])
    has_masks = [any(image.kind == MASK for image in of) for of in (kinds, every)]
    return ({}, every) if has_masks == [False, True] else (visits, kinds)


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = Path(place).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (Path(place) / name for name in sorted(names) if not is_hidden(name) and not name.startswith("~$"))


def _with_series(folder: Path, image: Image) -> Image:
    """Return an image of unknown kind as a series if it holds several volumes."""
    if image.kind != UNKNOWN:
        return image
    try:
        several = read_header(folder / image.path).volumes >= _LEAST
    except DataError:  # reading the cohort reports it
        return image
    return replace(image, kind=SERIES, order=(0, 0)) if several else image


def read_kinds(images: Sequence[Image]) -> list[Image]:
    """Return the images with their kinds: by the words of their names, then of their folders, then by numbers."""
    common = len(common_start([image.parts[:-1] for image in images])) if images else 0
    read = [_by_words(image, common) for image in images]
    if len({image.order for image in read if image.kind == PHASE}) < _LEAST:  # such as "pre" for "before therapy"
        read = [replace(image, kind=UNKNOWN, order=None, rests=()) if image.kind == PHASE else image for image in read]
        numbered = _by_numbers([image for image in read if image.kind == UNKNOWN])
        read = [numbered.get(image.path, image) for image in read]
    return [replace(image, rests=image.rests or image.parts) for image in read]


def _by_words(image: Image, common: int) -> Image:
    """Read a name, then its folders from the innermost on; the names of folders that all share say nothing."""
    said: list[Said] = [read_name(part) for part in image.parts]
    places = [len(said) - 1, *range(len(said) - 2, common - 1, -1)]
    for kind in (OTHER, MASK, PHASE):
        found = [k for k in places if said[k].kind == kind]
        if found:
            rests = tuple(
                one.rest if k in found else part for k, (one, part) in enumerate(zip(said, image.parts, strict=True))
            )
            return replace(image, kind=kind, order=said[found[0]].order, rests=rests)
    return image


def _by_numbers(images: Iterable[Image]) -> dict[str, Image]:
    """Return images whose last number is one of a phase: several patients have the same few numbers."""
    groups: dict[tuple[str, ...], dict[int, Image]] = defaultdict(dict)
    for image in images:
        if split := split_number(image.parts[-1]):
            groups[(*image.parts[:-1], split[0])][split[1]] = image
    groups = {key: group for key, group in groups.items() if len(group) <= _FEW}
    usual = Counter(tuple(sorted(group)) for group in groups.values() if len(group) >= _LEAST)
    if not usual or usual.most_common(1)[0][1] < 2:  # one row of numbers may be patients as well
        return {}
    return {
        image.path: replace(image, kind=PHASE, order=(1, number), rests=key)
        for key, group in groups.items()
        for number, image in group.items()
    }
