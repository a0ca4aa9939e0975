"""Receptors of a patient from what a table has instead of them: oestrogen and progesterone, or a tumour type."""

from __future__ import annotations

import re

from PCRPredictorLib.variables.receptors import NEGATIVE, POSITIVE

from ..intake.words import simple

TYPE = r"(hr ?her ?2|tumou?r|molecular|receptor|intrinsic|breast cancer)? ?(sub ?)?(type|status|group|class)"
_TYPES = {  # whole cell, without signs, to hormone receptors and HER2
    r"(triple ?neg\w*|tnbc?|basal.*)": (NEGATIVE, NEGATIVE),
    r"her2( pure| enriched)": (NEGATIVE, POSITIVE),
    r"her2( ?pos\w*| ?\+)?": (None, POSITIVE),
    r"luminal a": (POSITIVE, NEGATIVE),
    r"luminal( b)?": (POSITIVE, None),
}
_PART = r"(?:{name}) ?(?P<sign>pos\w*|neg\w*|plus|minus|\+|-)"


def read_type(text: str) -> tuple[str | None, str | None]:
    """Return hormone receptors and HER2 of a tumour type, as "HR+/HER2-", "TripleNeg" or "luminal A"."""
    compact = re.sub(r"[\s_/,;()]+", " ", text).strip().lower()
    hr, her2 = (_sign(compact, name) for name in (r"hr|er", r"her ?2"))
    if hr or her2:
        return hr, her2
    plain = simple(text)
    return next((found for pattern, found in _TYPES.items() if re.fullmatch(pattern, plain)), (None, None))


def _sign(text: str, name: str) -> str | None:
    found = re.search(_PART.format(name=name), text)
    if found is None:
        return None
    return POSITIVE if found["sign"].startswith(("pos", "plus", "+")) else NEGATIVE
