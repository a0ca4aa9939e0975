"""Columns of tables with visits: which quantity at which visit a column's name means, in which unit.

Our own names are `Quantity.column`, as `longest_diameter_mm_T1`. Other tables write `ftv_ml_T0`, `MRI LD Baseline`,
`LD (cm) V2` or `size_week3`. What a name does not say is None: `units` asks about it, and never guesses.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..response.course import QUANTITIES, VISITS

VOLUME, DIAMETER, SPHERICITY, BACKGROUND, SER = (quantity.name for quantity in QUANTITIES)
_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+(?:\.\d+)?|%")
_CUBIC = re.compile(r"(mm|cm)\s*[\^ _]?\s*[3³]", re.IGNORECASE)
_DERIVED = re.compile(
    r"\b(change\w*|delta|diff\w*|ratio|log|rel|relative|reduction|shrinkage|response|z ?score|rank|category|class|"
    r"error|sd|std|date|days?to|time to|percent change|veranderung|anderung|variation)\b"
)
_ELSEWHERE = re.compile(
    r"\b(path\w*|clin\w*|us|sono\w*|ultraso\w*|mammo\w*|mg|palpat\w*|residual|node\w*|nodal|ln|axill\w*|specimen|"
    r"sample|dose|image|voxel|pixel|slice|matrix|body|patient|breast|grid|mean|average|min|minimum|minimal|smallest|"
    r"short|shortest|perpendicular)\b"
)
_PERCENT = re.compile(r"(\b(percent\w*|pct|perc|prozent|pourcent\w*)\b|%)")
_QUANTITIES = {  # name of a quantity to what stands for it
    VOLUME: r"\b(ftv|functional (tumou?r )?vol\w*|funktionelles (tumor)?volumen)\b",
    BACKGROUND: r"\b(bpe|background (parenchymal )?enhanc?\w*)\b",
    SPHERICITY: r"\b(sphericity|spharizitat)\b",
    SER: r"\b(((peak|highest|max\w*) )(ser|signal enhancement ratio)|(ser|signal enhancement ratio) (peak|max\w*))\b",
    DIAMETER: (
        r"\b(ld|mld|(longest |largest |max\w* |greatest |tumou?r )*(diameters?|diam|dm|dimension|durchmesser|diametre|"
        r"diametro|size|grosse|taille|length)|longest)\b"
    ),
}
_OTHER_VOLUME = re.compile(r"\b(vol|volume|volumen|tv|ser volume)\b")
_UNITS = {  # quantity to unit to its factor
    DIAMETER: {"mm": 1.0, "cm": 10.0},
    VOLUME: {"ml": 1.0, "cc": 1.0, "cm3": 1.0, "mm3": 0.001},
    BACKGROUND: {"percent": 1.0, "%": 1.0, "fraction": 100.0},
    SPHERICITY: {"": 1.0},
    SER: {"": 1.0},
}
_SPELLED = {"millimeter": "mm", "millimetre": "mm", "centimeter": "cm", "centimetre": "cm", "milliliter": "ml"}
_WORDS = {  # visit to the words for it
    "T3": (
        r"pre (surg\w*|op\w*|surgical)|before (surg\w*|op\w*)|post (treat\w*|tx|therap\w*|chemo\w*|nact?|nst|"
        r"neoadj\w*)|after (treat\w*|therap\w*|chemo\w*|nact?)|end( of (treat\w*|therap\w*))?|final|last|preop\w*|"
        r"post$|presurg\w*|posttreat\w*|postchemo\w*|vor op|nach (therapie|chemo\w*)"
    ),
    "T2": r"inter reg\w*|interreg\w*|inter|interim|mid( ?(treat\w*|point|term|way))?|midtreat\w*|between.*|halfway",
    "T1": (
        r"1 3 d ac|early( (treat\w*|response))?|after (one|first) (cycle|course)\w*|(1|first) (cycle|course)\w*|"
        r"(cycle|course) 1|c 1"
    ),
    "T0": (
        r"baseline|base line|bl|pre( ?(treat\w*|tx|therap\w*|chemo\w*|nact?|nst|neoadj\w*))?|pretreat\w*|prechemo\w*|"
        r"initial|before (treat\w*|therap\w*|chemo\w*)|diagnos\w*|at diagnosis|vor (therapie|chemo\w*)|start"
    ),
}
_NUMBERED = re.compile(r"\b(?:(t|tp|v|visit|mri|mr|exam|scan|time ?point|time|irm|mrt|besuch|m) )?(\d)\b")
_WEEK = re.compile(r"\b(?:(?:weeks?|wk|wochen?|w|semaine) (\d+)|(\d+) (?:weeks?|wks?|w|wochen?|semaines?|semanas?))\b")
_DAY = re.compile(r"\b(?:day|d|tag) (\d+)\b")
_CYCLE = re.compile(r"\b(?:cycles?|courses?|doses?|c) \d+\b")  # of treatment: no visit follows from its number
_LAST_WEEK = {"T0": 0, "T1": 5, "T2": 16}  # after the start of treatment; later is before surgery


@dataclass(frozen=True)
class VisitColumn:
    """What the name of a column says.

    Args:
        quantity: name of one of `QUANTITIES`.
        visit: one of `VISITS`; None if the name has a number that only the other columns explain, or no visit.
        number: of the visit as it is written, None without one.
        prefix: word before that number, "" if there is none.
        unit: as written; None if the name has none.
    """

    quantity: str
    visit: str | None = None
    number: int | None = None
    prefix: str = ""
    unit: str | None = None

    @property
    def factor(self) -> float | None:
        """Return the factor that makes its values our unit, None if the unit is not known."""
        units = _UNITS[self.quantity]
        return units[""] if "" in units else units.get(self.unit or "")


def words(name: str, *, cubic: bool = True) -> str:
    """Return the words and numbers of a column's name in lower case, without accents, with single blanks.

    Args:
        cubic: read mm 3 as a unit of volumes, not as mm and the number 3.
    """
    name = _CUBIC.sub(lambda found: f" cubic{found[1].lower()} ", name) if cubic else name
    text = unicodedata.normalize("NFKD", name)
    text = "".join(letter for letter in text if not unicodedata.combining(letter)).replace("ß", "ss")
    return " ".join(found.group().lower() for found in _TOKEN.finditer(text))


def read_column(name: str) -> VisitColumn | None:
    """Return what a column's name says; None if it is not a quantity at a visit, or one that is derived from others."""
    text = words(name)
    if _DERIVED.search(text) or is_other_volume(name):
        return None
    quantity = next((quantity for quantity, pattern in _QUANTITIES.items() if re.search(pattern, text)), None)
    if quantity is None or (quantity == DIAMETER and _ELSEWHERE.search(text)):
        return None
    if quantity in (VOLUME, DIAMETER) and _PERCENT.search(text):
        return None  # of the baseline
    text = words(name, cubic=quantity != DIAMETER)
    rest, unit = _take_unit(re.sub(_QUANTITIES[quantity], " ", text), quantity)
    visit, number, prefix = _read_visit(rest)
    return VisitColumn(quantity, visit, number, prefix, unit)


def is_other_volume(name: str) -> bool:
    """Return True for the name of a volume that does not say that it is the functional one."""
    text = words(name)
    return bool(_OTHER_VOLUME.search(text)) and not re.search(_QUANTITIES[VOLUME], text)


def read_visit(name: str) -> VisitColumn | None:
    """Return the visit that a cell, or a name without a quantity, says; None if it says none."""
    visit, number, prefix = _read_visit(words(name))
    return None if visit is None and number is None else VisitColumn(DIAMETER, visit, number, prefix)


def _take_unit(text: str, quantity: str) -> tuple[str, str | None]:
    """Return the rest of a name, and its unit."""
    known = {**{unit: unit for unit in _UNITS[quantity]}, **_SPELLED, "cubicmm": "mm3", "cubiccm": "cm3"}
    found = [word for word in text.split() if known.get(word) in _UNITS[quantity] and word]
    rest = " ".join(word for word in text.split() if word not in found)
    return rest, known[found[0]] if found else None


def _read_visit(text: str) -> tuple[str | None, int | None, str]:
    """Return visit, number and word before it."""
    for visit, pattern in _WORDS.items():
        if re.search(rf"\b({pattern})\b", text):
            return visit, None, ""
    if (found := _WEEK.search(text)) is not None:
        return visit_of_week(float(found[1] or found[2])), None, ""
    if (found := _DAY.search(text)) is not None:
        return visit_of_week(float(found[1]) / 7), None, ""
    numbers = _NUMBERED.findall(_CYCLE.sub(" ", text))
    if not numbers:
        return None, None, ""
    prefix, number = next((each for each in numbers if each[0]), numbers[-1])
    return None, int(number), prefix


def visit_of_week(week: float) -> str:
    """Return the visit at so many weeks after the start of treatment."""
    return next((visit for visit, last in _LAST_WEEK.items() if week <= last), VISITS[-1])


def number_visits(columns: Iterable[VisitColumn]) -> Mapping[tuple[str, int], str] | None:
    """Return the visit of each word and number, as ("v", 1); None if they are more than the visits.

    T0 to T3 are our own. Other numbers start at 0 if there is a 0, or if words name a baseline; else at 1: V1 to V4 are
    T0 to T3.
    """
    columns = [*columns]
    has_baseline = any(column.visit == VISITS[0] for column in columns)
    found: dict[tuple[str, int], str] = {}
    groups: dict[str, set[int]] = {}
    for column in columns:
        if column.visit is None and column.number is not None:
            groups.setdefault(column.prefix, set()).add(column.number)
    for prefix, numbers in groups.items():
        from_zero = 0 in numbers or ((prefix == "t" or has_baseline) and max(numbers) < len(VISITS))
        for number in numbers:
            position = number if from_zero else number - 1
            if position >= len(VISITS):
                return None
            found[prefix, number] = VISITS[position]
    return found


def units_of(quantity: str) -> Mapping[str, float]:
    """Return the units that a quantity may be written in, with the factor that makes each of them ours."""
    return _UNITS[quantity]
