"""What the name of a file or folder says of an image: a phase, a mask, or something else, in several languages."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

PHASE, SERIES, MASK, OTHER, UNKNOWN = "phase", "series", "mask", "other", ""  # series: all phases in one file
Order = tuple[int, int]  # of a phase; the pre-contrast one is the first
PRE = (0, 0)

_PRE = (
    r"pre|pra|prae|pr[ae]+[ck]ontrast\w*|vor|nativ[ea]?|avant|prima|antes|before|plain|unenhanced|noncontrast|ohne|sans"
)
_POST = r"post|post([ck]ontrast|km|gd)\w*|nach|apres|after|dopo|despues|depois|pos|enhanced"
_EARLY = r"early|frue?h\w*|precoce|precoz|tempran[ao]|vroeg\w*|first|erste\w*|peak|arteriel?l?|arterial"
_MIDDLE = r"mid|middle|intermediate|mittel\w*|mittlere\w*|intermedi\w+"
_LATE = r"late|spae?t\w*|tardi\w*|delayed|laat|last|letzte\w*"
_AFTER = (1, 1)
_WORDS = ((_LATE, (1, 1000)), (_MIDDLE, (1, 500)), (_EARLY, (1, 0)), (_POST, _AFTER), (_PRE, PRE))
_FILLER = r"[ck]ontrast\w*|km|gd|gado\w*|phase|dyn\w*"  # between "post" and its number
_MASK = (
    r"mask\w*|masq\w*|masch\w*|mascara\w*|seg|segm\w*|tumou?r\w*|tumeur\w*|roi|rois|voi|lae?sion\w*|lesion\w*|label\w*|"
    r"gt|groundtruth|truth|contour\w*|kontur\w*|annot\w*|herd\w*|delineat\w*"
)
_OTHER = r"subtra\w*|mip|mips|dwi|adc|stir|flair|localizer|scout|attention|heatmap|probab\w*|breastmask\w*|brustmask\w*"
_BREAST = r"breast|brust|sein|seno|mamma|mama|fgt|fibroglandular"
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NUMBER = re.compile(r"^(.*?)(\d+)( ?(s|sec|sek))?$", re.DOTALL | re.IGNORECASE)


T = TypeVar("T", str, tuple)


@dataclass(frozen=True)
class Said:
    """What a name says.

    Args:
        kind: PHASE, MASK, OTHER or UNKNOWN.
        rest: the name without the words that say it.
        order: of a phase.
    """

    kind: str
    rest: str
    order: Order | None = None


def plain(text: str) -> str:
    """Return a text without accents, in as many characters."""
    return "".join(unicodedata.normalize("NFKD", letter)[:1] or letter for letter in text)


def tokens(text: str) -> list[str]:
    """Return the words and numbers of a name in lower case, without accents."""
    return [found.group().lower() for found in _TOKEN.finditer(plain(text))]


def read_name(text: str) -> Said:
    """Return what a name says by its words; a number alone says nothing here (see `split_number`)."""
    found = list(_TOKEN.finditer(plain(text)))
    words = [match.group().lower() for match in found]
    masks = _where(_MASK, words)
    if _is_other(text, words) or (masks and _where(_BREAST, words) == [masks[0] - 1] and masks == masks[:1]):
        return Said(OTHER, text)
    if masks:
        return Said(MASK, _without(text, found, masks[0], masks[-1]))
    for pattern, order in _WORDS:
        if places := _where(pattern, words):
            first, last, number = _numbered(words, places[0]) if order == _AFTER else (places[0], places[0], None)
            return Said(PHASE, _without(text, found, first, last), order if number is None else (1, number))
    return Said(UNKNOWN, text)


def split_number(text: str) -> tuple[str, int] | None:
    """Return the text before the number at the end of a name, and the number, maybe of seconds; None without one."""
    found = _NUMBER.match(text)
    return (found[1], int(found[2])) if found else None


def common_start(texts: Sequence[T]) -> T:
    """Return what all texts, or all tuples, start with."""
    first, last = min(texts), max(texts)
    ends = (k for k, (one, other) in enumerate(zip(first, last, strict=False)) if one != other)
    return first[: next(ends, min(len(first), len(last)))]


def common_end(texts: Sequence[str]) -> str:
    """Return what all texts end with."""
    return common_start([text[::-1] for text in texts])[::-1]


def _where(pattern: str, words: list[str]) -> list[int]:
    return [k for k, word in enumerate(words) if re.fullmatch(pattern, word)]


def _is_other(text: str, words: list[str]) -> bool:
    """Return True for an image that is no phase; "sub-" at the start names a subject, as in BIDS."""
    is_t2 = ("t", "2") in pairwise(words)
    subtracted = "sub" in words and not re.match(r"sub-", text, re.IGNORECASE)
    return is_t2 or subtracted or bool(_where(_OTHER, words))


def _numbered(words: list[str], place: int) -> tuple[int, int, int | None]:
    """Return the first and last word of a phase's name, and its number: "post 2", "post-contrast 2", "2nd post"."""
    last = place
    while last + 1 < len(words) and re.fullmatch(_FILLER, words[last + 1]):
        last += 1
    if last + 1 < len(words) and words[last + 1].isdigit():
        return place, last + 1, int(words[last + 1])
    if place > 1 and words[place - 1] in ("st", "nd", "rd", "th") and words[place - 2].isdigit():
        return place - 2, last, int(words[place - 2])
    return place, last, None


def _without(text: str, found: list[re.Match], first: int, last: int) -> str:
    return (text[: found[first].start()] + "\0" + text[found[last].end() :]).strip()
