"""Codes of results in DICOM: our own scheme, `99BREASTPCR`, for concepts that SNOMED CT, UCUM and DICOM lack.

A code has at most 16 characters, which every reader accepts; a longer one is shortened by a rule.
`Resources/Docs/dicom.md` lists them. Source: DICOM PS3.3 8 (coded entries), PS3.16 CID 244 (laterality).
"""

import re
import uuid
from typing import Any

import pydicom

from ... import __version__

SCHEME = "99BREASTPCR"
DEVICE_UID = f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'https://github.com/BreastPCR/SlicerBreastPCR/{__version__}').int}"
_LONGEST_CODE, _LONGEST_MEANING = 16, 64  # characters, of SH and LO


def concept(code: str, meaning: str) -> Any:  # noqa: ANN401  highdicom is loaded late
    """Return a concept of our own scheme; see `short_code`."""
    from highdicom.sr import CodedConcept

    return CodedConcept(short_code(code), SCHEME, meaning[:_LONGEST_MEANING])


def short_code(name: str) -> str:
    """Return a name in capitals, with words cut equally to 16 characters: attention_elsewhere is ATTENTI_ELSEWHE."""
    words = re.findall(r"[A-Z0-9]+", name.upper())
    ways = ("_".join(word[:most] for word in words) for most in range(_LONGEST_CODE, 0, -1))
    return next((way for way in ways if len(way) <= _LONGEST_CODE), "".join(words)[:_LONGEST_CODE])


def own_scheme() -> list[Any]:
    """Return the description of our scheme, for objects that use it."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return [
        CodingSchemeIdentificationItem(SCHEME, "Codes of BreastPCR", __version__, responsible_organization="BreastPCR")
    ]


def side_of(source: pydicom.Dataset) -> str | None:
    """Return L, R or B (both) if the source says which breast it shows, else None."""
    side = str(source.get("ImageLaterality") or source.get("Laterality") or "").strip().upper()
    return side if side in ("L", "R", "B") else None


def laterality(source: pydicom.Dataset) -> Any:  # noqa: ANN401
    """Return the side as a code, or None if the source has none."""
    from pydicom.sr.codedict import codes

    sides = {"L": codes.SCT.Left, "R": codes.SCT.Right, "B": codes.SCT.RightAndLeft}
    return sides.get(side_of(source) or "")
