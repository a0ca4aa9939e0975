"""The files of a cohort as `cohort.json` names them, found by looking at a folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from PCRPredictorLib.reading.mapping import VISIT
from PCRPredictorLib.reading.patterns import PATIENT

from .images import Contents, Image
from .names import MASK, OTHER, PHASE, SERIES, UNKNOWN
from .patients import Known, Placed, by_order, merge, place_patients, possible_keys, same_key, split_series
from .visits import with_placeholder

_MAMA_MIA = re.compile(r"^images/([^/]+)/(T[0-3]/)?[^/]+_\d{4}\.nii(\.gz)?$", re.IGNORECASE)
_BY_HAND = re.compile(r"expert|manual|checked|review|corr|korr|hand|final", re.IGNORECASE)
PLACE_OF_MASKS = f"segmentations/expert/{PATIENT}.nii.gz"


@dataclass(frozen=True)
class Layout:
    """Patterns of a cohort's files.

    Args:
        phases: in the order of acquisition; empty if they were not found, or the layout is that of MAMA-MIA.
        series: the file with all phases, "" if each has its own.
        masks: the one that is used first.
        is_mama_mia: True if the files need no description.
        notes: sentences about what was taken.
        doubts: sentences about what could not be told.
        patients: identifiers, as in the paths.
    """

    phases: tuple[str, ...] = ()
    series: str = ""
    masks: tuple[str, ...] = ()
    is_mama_mia: bool = False
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()


def find_layout(contents: Contents, known: Known = frozenset()) -> Layout:
    """Describe where phases and masks are.

    Args:
        known: keys of the table's identifiers, see `same_key`.
    """
    images = contents.images
    phases, masks, series = ([image for image in images if image.kind == kind] for kind in (PHASE, MASK, SERIES))
    numbered = [image for image in phases if _MAMA_MIA.match(image.path)]
    left = _describe_others(images)
    if numbered and len(numbered) >= 0.9 * len(phases):
        folders = {image.parts[1] for image in numbered}
        return Layout(is_mama_mia=True, doubts=left, patients=tuple(sorted(folders)))
    if odd := [image.path for image in (*phases, *masks, *series) if re.search(r"[{}*]", image.path)]:
        doubt = f"names with {{, }} or * cannot be described ({odd[0]}); rename these files and folders"
        return Layout(doubts=(doubt, *left))
    in_one = not phases
    phases = phases or series
    if not phases:
        return Layout(doubts=left)
    placed = place_patients(phases, known or possible_keys(masks))
    first, *others = split_series(placed, frozenset(image.folder for image in masks))
    patterns, notes, doubts = _describe_phases(first, others)
    found, more = _describe_masks(masks, first)
    patients = tuple(sorted({one.patient for one in first}))
    if in_one:
        return Layout((), "".join(patterns), found, False, (), (*doubts, *more, *left), patients)
    if series:
        more.append(f"{series[0].path} holds several volumes; it is not used, as there are files for each phase")
    return Layout(patterns, "", found, False, tuple(notes), (*doubts, *more, *left), patients)


def with_visits(layout: Layout, texts: Mapping[str, str]) -> Layout:
    """Return the layout of the first of several visits as that of all of them.

    Args:
        layout: of the files of the first visit.
        texts: of the visits in the paths; empty for one visit.
    """
    if not texts or layout.is_mama_mia:
        return layout
    phases, masks = (tuple(with_placeholder(pattern, texts) for pattern in of) for of in (layout.phases, layout.masks))
    if masks == (PLACE_OF_MASKS,):
        masks = (f"segmentations/expert/{PATIENT}_{VISIT}.nii.gz",)
    return replace(layout, phases=phases, series=with_placeholder(layout.series, texts), masks=masks)


def _describe_phases(
    first: Sequence[Placed], others: Iterable[Sequence[Placed]]
) -> tuple[tuple[str, ...], list[str], list[str]]:
    notes: list[str] = []
    doubts: list[str] = []
    for group in others:
        doubts.append(
            f"{_example(group)} looks like a phase of a different series or visit ({_count(group)}); it is not used. "
            "Change phases if it is the one that is meant"
        )
    usual = Counter(len(one.image.parts) for one in first).most_common(1)[0][0]
    if odd := [one for one in first if len(one.image.parts) != usual]:
        doubts.append(f"{_example(odd)} lies deeper or higher than other phases ({_count(odd)}); not used")
    try:
        orders = by_order(one for one in first if len(one.image.parts) == usual)
        patterns = tuple(merge(group) for group in orders.values())
        if len(set(patterns)) < len(patterns):
            raise ValueError(patterns)
    except ValueError:
        example = ", ".join(dict.fromkeys(one.image.path for one in (*first[:2], first[-1])))
        return (), notes, [*doubts, f"the names of the phases follow no pattern ({example}); write phases by hand"]
    if any(order >= (1, 1) for order in orders) and (0, 0) not in orders:
        notes.append(f"{patterns[0]} is taken as the phase before contrast: it has the lowest number")
    if len(patterns) > 3:
        notes.append(
            f"of the {len(patterns)} phases, training takes the first, the one about two minutes after contrast and "
            "the last; if the table has no acquisition_times, the first, second and last"
        )
    return patterns, notes, doubts


def _describe_masks(masks: Sequence[Image], phases: Sequence[Placed]) -> tuple[tuple[str, ...], list[str]]:
    if not masks:
        return (PLACE_OF_MASKS,), [f"no masks were found; save the mask of each patient as {PLACE_OF_MASKS}"]
    keys = frozenset(same_key(one.patient) for one in phases)
    placed = [one for one in place_patients(masks, keys) if same_key(one.patient) in keys]
    if not placed:
        return (PLACE_OF_MASKS,), [
            f"{masks[0].path} looks like a mask, but names no patient that has phases; write mask by hand"
        ]
    patterns, doubts = [], []
    for group in _split_masks(placed, frozenset(one.image.folder for one in phases)):
        try:
            patterns.append(merge(group))
        except ValueError:
            doubts.append(f"the names of the masks follow no pattern ({_example(group)}); write mask by hand")
    if len(patterns) > 1:
        doubts.append(
            f"there are {len(patterns)} masks: {', '.join(patterns)}; only the first is used. Change mask if another "
            "is meant, or list several: the first that exists is used"
        )
    return tuple(patterns[:1]) or (PLACE_OF_MASKS,), doubts


def _split_masks(placed: Sequence[Placed], beside: frozenset[str]) -> list[list[Placed]]:
    """Return masks by depth and by the words that tell them apart, the best first.

    That are those of most patients; then those beside the phases; then those drawn or checked by hand.
    """
    depths = {len(one.image.parts) for one in placed}
    groups = [
        group for depth in depths for group in split_series([one for one in placed if len(one.image.parts) == depth])
    ]

    def rank(group: Sequence[Placed]) -> tuple[int, bool, bool]:
        path = group[0].image.path
        return -_patients(group), group[0].image.folder not in beside, not _BY_HAND.search(path)

    return sorted(groups, key=rank)


def _describe_others(images: Iterable[Image]) -> tuple[str, ...]:
    found = []
    for kind, what in ((OTHER, "by its name no phase"), (UNKNOWN, "neither phase nor mask by its name")):
        group = [image for image in images if image.kind == kind]
        if group:
            more = f" and {len(group) - 1} more" if len(group) > 1 else ""
            found.append(f"{group[0].path}{more}: {what}; not used")
    return tuple(found)


def _patients(group: Iterable[Placed]) -> int:
    return len({one.patient for one in group})


def _count(group: Sequence[Placed]) -> str:
    return f"{len(group)} files of {_patients(group)} patients"


def _example(group: Sequence[Placed]) -> str:
    return group[0].image.path
