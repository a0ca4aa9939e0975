"""Where a call may write: the folder of `--out`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..bundles.folder import CHECKSUMS
from ..errors import CallError

OUT = "out"  # name of the parameter in every call
_RESULTS = ("prediction.json", "predictions.csv", "follow.json")  # of a folder that results may replace


def check_out(values: Mapping[str, object]) -> None:
    """Refuse a folder for results that is the root, home or current folder, a bundle, a link, or that of an input.

    An input is any existing file or folder among the other values. A folder that holds results may hold inputs, too.

    Args:
        values: of a call's parameters, by name.

    Raises:
        CallError: saying what to give instead.
    """
    out = values.get(OUT)
    if not isinstance(out, Path):
        return
    where = Path(out).absolute()
    if out.is_symlink():
        raise CallError(f"--out must be no link, got {out}, a link to {out.readlink()}; give that folder")
    where = where.resolve()
    if where == Path.cwd() and not values.get("resume"):
        raise CallError("--out must name a folder for the results, got the current one; name a new one")
    if (where / CHECKSUMS).is_file():
        raise CallError(f"--out must be no model bundle, got {out}; name a new folder")
    if where == Path(where.anchor) or where == Path.home().resolve():
        raise CallError(f"--out must be a folder of its own, got {where}; name a new one inside it")
    if any((where / name).is_file() for name in _RESULTS):
        return
    for given in _inputs(values):
        source = given.resolve()
        folder = source if source.is_dir() else source.parent
        if where == folder or where in folder.parents:
            raise CallError(
                f"--out must be a folder of its own, got {out}, which holds the input {given}; name a new one"
            )


def _inputs(values: Mapping[str, object]) -> Iterator[Path]:
    """Return the files and folders among the values; NUL joins the words of a group, as in `--visit T0 FOLDER`."""
    for name, value in values.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            words = item.split("\0") if isinstance(item, str) and "\0" in item else ()
            paths = [item] if isinstance(item, Path) else [Path(word) for word in words]
            yield from (path for path in paths if name != OUT and path.exists())
