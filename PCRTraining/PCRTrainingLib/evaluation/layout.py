"""The parts of a report, which its templates lay out."""

from collections.abc import Iterator, Sequence
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


def contents_of(sections: Sequence[Section]) -> list[tuple[str, str]]:
    """Return the headings of a report for its list of contents: the anchor and the text of each.

    Anchors are `s1`, `s1t1` and so on: the section, and the table in it, in the order of the page.
    """
    return [entry for k, section in enumerate(sections, 1) for entry in _entries(k, section)]


def _entries(number: int, section: Section) -> Iterator[tuple[str, str]]:
    if section.title:
        yield f"s{number}", section.title
    for k, table in enumerate((table for table in section.tables if table.rows), 1):
        if table.title:
            yield f"s{number}t{k}", table.title
