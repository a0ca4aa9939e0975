"""The formats that are fuzzed; each module of this folder has a tuple `FORMATS`."""

from importlib import import_module
from pathlib import Path

from ..format import Format

_MODULES = sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py"))
_FOUND = [kind for name in _MODULES for kind in import_module(f"{__name__}.{name}").FORMATS]
FORMATS: dict[str, Format] = {kind.name: kind for kind in _FOUND}
