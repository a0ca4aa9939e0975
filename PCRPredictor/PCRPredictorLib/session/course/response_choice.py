"""The chosen response model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import DataError

if TYPE_CHECKING:
    from ...response.model import ResponseModel


def _load(path: Path) -> ResponseModel:
    from ...response.bundle import load_response

    return load_response(path)


class ResponseChoice:
    """A response model, which is read when it is first needed.

    Args:
        load: reads the bundle in a folder or raises DataError.

    Attributes:
        path: folder of the chosen model, readable or not.
    """

    def __init__(self, load: Callable[[Path], ResponseModel] = _load) -> None:
        self._load = load
        self.choose(None)

    def choose(self, path: Path | None) -> None:
        """Choose the model in a folder, None for none."""
        self.path: Path | None = path
        self._model: ResponseModel | None = None
        self._problem = ""

    @property
    def model(self) -> ResponseModel | None:
        """The chosen model; None if it cannot be read or none is chosen."""
        if self._model is None and self.path is not None and not self._problem:
            try:
                self._model = self._load(self.path)
            except DataError as error:
                self._problem = str(error)
        return self._model

    @property
    def problem(self) -> str:
        """Why the chosen model cannot be read, "" if it can."""
        return "" if self.model is not None else self._problem

    @property
    def checksum(self) -> str:
        """Of the chosen model; "" without one."""
        return self.model.identity.checksum if self.model is not None else ""
