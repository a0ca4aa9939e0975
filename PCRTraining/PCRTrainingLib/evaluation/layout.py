"""The parts of a report, which its templates lay out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names the row. A table without rows is not shown."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A picture, by default as SVG, with a short name and a caption."""

    svg: str | bytes
    alt: str
    caption: str
    kind: str = "image/svg+xml"


@dataclass(frozen=True)
class Section:
    """A part of a report: heading, sentence, tables and figures, each as far as there is one."""

    title: str = ""
    text: str = ""
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
