"""Elements of XML from outside, each when it is complete; nothing else is kept.

Nothing is read through entities, of which a few lines become gigabytes: a document that declares any is refused.
"""

from collections.abc import Collection, Iterator
from typing import IO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from .limits import CELL, COLUMNS, DEPTH

_PIECE = 1 << 16  # bytes
_ELEMENTS = 8 * COLUMNS  # inside one that is wanted: a line of a sheet has a few of each cell


class _Builder:
    """The elements that are wanted, without the namespaces of their names.

    Args:
        wanted: their names; those inside one come with it.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = wanted
        self._tree: TreeBuilder | None = None
        self._depth = self._count = self._length = 0
        self.found: list[Element] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if self._tree is None and name in self._wanted:
            self._tree, self._depth, self._count = TreeBuilder(), 0, 0
        if self._tree is not None:
            self._depth += 1
            self._count += 1
            self._length = 0
            if self._depth > DEPTH or self._count > _ELEMENTS:
                raise ValueError("a line or a text of it has more parts than any sheet")
            self._tree.start(name, {key.rpartition(":")[2]: value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        if self._tree is not None:
            self._tree.end(name.rpartition(":")[2])
            self._depth -= 1
            if not self._depth:
                self.found.append(self._tree.close())
                self._tree = None

    def text(self, content: str) -> None:
        if self._tree is not None:
            self._length += len(content)
            if self._length > CELL:
                raise ValueError(f"a cell of it has more than {CELL} characters")
            self._tree.data(content)

    def refuse(self, *_: object) -> None:
        raise ValueError("it declares a document type, which no workbook does")


def parse_elements(file: IO[bytes], wanted: Collection[str], most: int) -> Iterator[Element]:
    """Yield the elements of these names that are inside none of the others.

    Args:
        file: read piece by piece, so that it may be inflated meanwhile.
        wanted: names without their namespaces.
        most: bytes that are read.

    Raises:
        ExpatError: if the XML is damaged.
        ValueError: if it is larger, or declares entities.
    """
    builder, parser = _Builder(wanted), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.text, builder.refuse
    parser.buffer_text = True
    while True:
        piece = file.read(_PIECE)
        if (most := most - len(piece)) < 0:
            raise ValueError("unpacked it is larger than a table of patients")
        parser.Parse(piece, not piece)
        yield from builder.found
        builder.found.clear()
        if not piece:
            return
