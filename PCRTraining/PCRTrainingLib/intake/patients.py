"""Which part of the paths of images names the patient, and patterns of the paths for `cohort.json`."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from PCRPredictorLib.reading.patterns import PATIENT

from .images import Image
from .names import Order, common_end, common_start, tokens

_SHORT = 2  # letters: a longer identifier does not occur by chance
_ALIKE = 0.9  # of the most different names at one place: a folder further up then names the patient
_USUAL = 0.2  # of the patients share a word that tells series apart
_DATE = re.compile(r"\D*((19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d|[0-3]?\d[-_.][01]?\d[-_.](19|20)\d\d)(\D|$)")
Known = frozenset[str]


@dataclass(frozen=True)
class Placed:
    """An image with the patient that its path names.

    Args:
        patient: identifier, as in the path.
        place: position in the path's parts.
    """

    image: Image
    patient: str
    place: int


def place_patients(images: Sequence[Image], known: Known = frozenset()) -> list[Placed]:
    """Return the images with their patients.

    The patient is named where most names differ, of equal places in the first. If identifiers are known (of the table,
    or of the phases for masks), the place and the part of the name that match most of them are taken.

    Args:
        known: keys of identifiers, see `same_key`.
    """
    return [placed for group in _by_depth(images) for placed in _best(_readings(group), known)]


def count_matches(images: Sequence[Image], known: Known) -> int:
    """Return how many of the known patients the paths could name."""
    return sum(_matches(_best(_readings(group), known), known) for group in _by_depth(images))


def possible_keys(images: Sequence[Image]) -> Known:
    """Return the keys of every part of the paths that could be an identifier."""
    readings = (found for group in _by_depth(images) for found in _readings(group))
    return frozenset(same_key(one.patient) for found in readings for one in found)


def same_key(identifier: str) -> str:
    """Return an identifier as it is compared: without case, blanks, signs, and leading zeros of its numbers."""
    return " ".join(word.lstrip("0") or "0" for word in tokens(re.sub(r"^(\d+)[.,]0+$", r"\1", identifier.strip())))


def _by_depth(images: Iterable[Image]) -> list[list[Image]]:
    groups: dict[int, list[Image]] = defaultdict(list)
    for image in images:
        groups[len(image.parts)].append(image)
    return list(groups.values())


def _readings(images: Sequence[Image]) -> list[list[Placed]]:
    """Return the ways to read patients from paths of one depth, the usual ones first."""
    depth = len(images[0].parts)
    texts = [  # by place: what stands before and after a removed word, or the whole name
        (
            k,
            [
                (_tidy(image.rests[k].split("\0")[part]) if image.rests[k].count("\0") >= abs(part) else "")
                for image in images
            ],
        )
        for k in range(depth)
        for part in (0, -1)
        if part == 0 or any("\0" in image.rests[k] for image in images)
    ]
    undated = [(k, names) for k, names in texts if not all(map(_DATE.match, names))]
    texts = undated if any(len(set(names)) > 1 for _, names in undated) else texts  # dates are visits
    most = max(len(set(names)) for _, names in texts)
    found = []
    for k, names in texts:
        different = sorted(set(names))
        if len(different) < _ALIKE * most or "" in different:
            continue
        ways = [_tidy, _stripping(different), _number(0), _number(-1)]
        for way in ways if k < depth - 1 else [ways[1], ways[0], *ways[2:]]:
            found.append([Placed(image, way(name), k) for image, name in zip(images, names, strict=True)])
    return found


def _best(readings: Sequence[list[Placed]], known: Known) -> list[Placed]:
    def score(found: list[Placed]) -> tuple[int, int, int]:
        return _matches(found, known), len({one.patient for one in found}), -_count_shapes(found)

    return max(readings, key=score, default=[])


def _matches(found: Iterable[Placed], known: Known) -> int:
    return len({same_key(one.patient) for one in found} & known)


def _tidy(name: str) -> str:
    """Return a name without the signs around it."""
    return name.strip(" _-.")


def _stripping(names: Sequence[str]) -> Callable[[str], str]:
    """Return a function that removes what all names start and end with, up to whole words and numbers."""
    start = re.sub(r"(\d+|[^\W\d_]+)$", "", common_start(names))
    end = re.sub(r"^(\d+|[^\W\d_]+)", "", common_end(names))
    if len(names) == 1 or any(len(name) <= len(start) + len(end) for name in names):
        return _tidy
    return lambda name: _tidy(name[len(start) : len(name) - len(end)])


def _number(place: int) -> Callable[[str], str]:
    return lambda name: (re.findall(r"\d+", name) or [name])[place]


def _count_shapes(found: Iterable[Placed]) -> int:
    """Return the number of different paths once the patient is taken out of them."""
    return len({tuple(part.lower() for part in shape(one)) for one in found})


def shape(placed: Placed) -> tuple[str, ...]:
    """Return the parts of a path with the patient as a placeholder: where it is read, and where a long one recurs."""
    pattern, long = _pattern(placed.patient), len(placed.patient) > _SHORT
    return tuple(
        pattern.sub(PATIENT, part, count=0 if long else 1) if long or k == placed.place else part
        for k, part in enumerate(placed.image.parts)
    )


def _pattern(patient: str) -> re.Pattern:
    before = r"(?<!\d)" if patient[:1].isdigit() else r"(?<![^\W\d_])"
    after = r"(?!\d)" if patient[-1:].isdigit() else r"(?![^\W\d_])"
    return re.compile(before + re.escape(patient) + after, re.IGNORECASE)


def merge(group: Sequence[Placed]) -> str:
    """Return one pattern for the files of several patients: what differs between them becomes a star.

    Raises:
        ValueError: if the paths have different depths, or the patient cannot be told from the pattern any more.
    """
    parts = [_merge_part(group, k) for k in range(_depth(group))]
    endings = {one.image.ending.lower() for one in group}
    pattern = "/".join(parts) + (endings.pop() if len(endings) == 1 else ".*")
    first = next((part for part in parts if PATIENT in part), "")
    if not first or re.search(re.escape(PATIENT) + r"\*|\*" + re.escape(PATIENT), first):
        raise ValueError(pattern)
    return pattern


def _depth(group: Sequence[Placed]) -> int:
    depths = {len(one.image.parts) for one in group}
    if len(depths) > 1:
        raise ValueError("different depths")
    return depths.pop()


def _merge_part(group: Sequence[Placed], k: int) -> str:
    """Return the pattern of one part: with every occurrence of the patient, or the first, or none, as in all names."""
    names = [one.image.parts[k] for one in group]
    every = [_pattern(one.patient).sub(PATIENT, one.image.parts[k]) for one in group]
    first = [_pattern(one.patient).sub(PATIENT, one.image.parts[k], count=1) for one in group]
    ways = [every, first] if group[0].place == k else [every, names]
    same = [way for way in ways if len({name.lower() for name in way}) == 1]
    held = [way for way in ways if all(PATIENT in name for name in way)]
    return _merge_names((same or held[-1:] or [names])[0])


def _merge_names(names: Sequence[str]) -> str:
    if len({name.lower() for name in names}) == 1:
        return Counter(names).most_common(1)[0][0]
    start = common_start(names)
    end = common_end([name[len(start) :] for name in names])
    start, end = (
        re.sub(r"\{[^}]*$", "", start),
        re.sub(r"^[^{}]*\}", "", end),
    )  # no part of a placeholder, a word or a number
    return re.sub(r"(\d+|[^\W\d_]+)$", "", start) + "*" + re.sub(r"^(\d+|[^\W\d_]+)", "", end)


def split_series(phases: Sequence[Placed], beside: frozenset[str] = frozenset()) -> list[list[Placed]]:
    """Return phases by the series that their names tell apart, the one of most patients and phases first.

    There is one series, unless a patient has two files for the same phase.

    Args:
        beside: folders that a series is preferred in if it has no more files than others.
    """
    seen = Counter((one.patient, one.image.order) for one in phases)
    if max(seen.values(), default=0) < 2:
        return [list(phases)]
    patients = {one.patient for one in phases}
    words = {one: _words(one) for one in phases}
    counts = Counter(word for of in _words_by_patient(words).values() for word in of)
    usual = {word for word, number in counts.items() if number >= max(2, _USUAL * len(patients))}
    groups: dict[tuple[str, ...], list[Placed]] = defaultdict(list)
    for one in phases:
        groups[tuple(word for word in words[one] if word in usual)].append(one)
    return sorted(groups.values(), key=lambda group: (*_rank(group, beside), group[0].image.path))


def _rank(group: Sequence[Placed], beside: frozenset[str]) -> tuple[int, int]:
    files = len({(one.patient, one.image.order) for one in group})
    return -files, -sum(one.image.folder in beside for one in group)


def _words(placed: Placed) -> tuple[str, ...]:
    name = placed.patient.lower()
    return tuple(word for rest in placed.image.rests for word in tokens(rest.lower().replace(name, " ")))


def _words_by_patient(words: Mapping[Placed, tuple[str, ...]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for placed, of in words.items():
        found[placed.patient].update(of)
    return found


def by_order(phases: Iterable[Placed]) -> dict[Order, list[Placed]]:
    """Return phases by their order, the pre-contrast one first."""
    groups: dict[Order, list[Placed]] = defaultdict(list)
    for one in phases:
        groups[one.image.order or (0, 0)].append(one)
    return dict(sorted(groups.items()))
