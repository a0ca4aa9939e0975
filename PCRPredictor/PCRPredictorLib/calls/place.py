"""Where a call may write: the folder of `--out`. Results of the same kind are replaced, and that is said before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from ..bundles.folder import CHECKSUMS
from ..errors import CallError, DataError

OUT = "out"  # name of the parameter in every call
_KIT = "kit"  # of a federation: a site's own files may lie in it
_RESULTS = ("prediction.json", "predictions.csv", "follow.json")  # of a folder that results may replace
_EXAM, _COHORT, _RUN = "the prediction of an exam", "a cohort", "a run"
_FOLLOW_UP, _EVALUATION, _STORY = "a follow-up", "an evaluation", "the story"
_TABLE, _PREDICTIONS = "predictions of a table", "predictions of a cohort"
_FEDERATION, _WATCH = "a federation", "a watch of a PACS"
_MARKS = {  # file that tells what a folder holds
    "prediction.json": _EXAM,
    "predictions.jsonl": _PREDICTIONS,
    "follow.json": _FOLLOW_UP,
    "evaluation.json": _EVALUATION,
    "story.html": _STORY,
    "kind.json": _RUN,
    "plan.json": _FEDERATION,
    "watch.jsonl": _WATCH,
    "clinical_and_imaging_info.csv": _COHORT,
    "cohort.json": _COHORT,
}
_REPLACED = {  # kind that a command replaces; others refuse a folder that holds something
    "predict": _EXAM,
    "demo": _EXAM,
    "follow": _FOLLOW_UP,
    "evaluate": _EVALUATION,
}
_OF_TRAINING = {_RUN, _TABLE, _FEDERATION, _PREDICTIONS, _COHORT}
_LOOKED_AT = {  # kinds that a command goes on with or refuses itself
    "watch": {_WATCH},
    **dict.fromkeys(("train", "select", "experiment", "recalibrate", "simulate", "serve", "join"), _OF_TRAINING),
}


def describe_replaced(command: str, values: Mapping[str, object], name: str = "--out") -> str:
    """Return what the results of a command replace, a sentence; "" if the folder of `--out` holds none.

    Args:
        command: its name, such as "predict".
        values: of its parameters, by name.
        name: of the folder, as the user wrote it.

    Raises:
        CallError: if the folder holds something of a different kind, which would be mixed with the results.
    """
    out = values.get(OUT)
    if not isinstance(out, Path):
        return ""
    found = {kind: out / mark for mark, kind in _MARKS.items() if (out / mark).is_file()}
    if not found and (out / "predictions.csv").is_file():
        found = {_TABLE: out / "predictions.csv"}
    of_cohort = command == "predict" and values.get("cohort") is not None
    looked_at = {_PREDICTIONS, _TABLE} if of_cohort else _LOOKED_AT.get(command, set())
    own = _STORY if values.get("story") else _TABLE if values.get("table") else _REPLACED.get(command, "")
    if set(found) <= looked_at:
        return ""  # the command looks at it itself
    if set(found) != {own}:
        kind = next(kind for kind in found if kind != own)
        raise CallError(f"{name} must be a new folder, got {out}, which holds {kind} already; name a new one")
    when = datetime.fromtimestamp(found[own].stat().st_mtime).astimezone()
    return f"{out}: {own} of {when:%Y-%m-%d %H:%M} will be replaced"


def check_out(values: Mapping[str, object], name: str = "--out") -> None:
    """Refuse a folder for results that is the root, home or current folder, a bundle, a link, or that of an input.

    An input is any existing file or folder among the other values. A folder that holds results may hold inputs, too.
    A folder inside one that is read is refused: it would be read the next time, as a patient or a series. A run that
    is there already may be resumed.

    Args:
        values: of a call's parameters, by name.
        name: of the folder, as the user wrote it.

    Raises:
        CallError: saying what to give instead.
        DataError: if it cannot be written.
    """
    out = values.get(OUT)
    if not isinstance(out, Path):
        return
    where = Path(out).absolute()
    if out.is_symlink():
        raise CallError(f"{name} must be no link, got {out}, a link to {out.readlink()}; give that folder")
    where = where.resolve()
    if where.exists() and not where.is_dir():
        raise CallError(f"{name} must be a folder, got the file {out}; name a new folder")
    if where == Path.cwd() and not values.get("resume"):
        raise CallError(f"{name} must name a folder for the results, got the current one; name a new one")
    if (where / CHECKSUMS).is_file():
        raise CallError(f"{name} must be no model bundle, got {out}; name a new folder")
    if where == Path(where.anchor) or where == Path.home().resolve():
        raise CallError(f"{name} must be a folder of its own, got {where}; name a new one inside it")
    for given in _inputs(values):
        _refuse_inside(out, where, given, values, name)
    _check_writable(where)
    if any((where / mark).is_file() for mark in _RESULTS):
        return
    for given in _inputs(values):
        source = given.resolve()
        folder = source if source.is_dir() else source.parent
        if where == folder or where in folder.parents:
            raise CallError(
                f"{name} must be a folder of its own, got {out}, which holds the input {given}; name a new one"
            )


def _check_writable(out: Path) -> None:
    """Refuse a folder that cannot be made or written, before anything is read; nothing is left there."""
    place = out
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise DataError(f"{out}: cannot be written (not a directory); choose a folder that you may write to")
    from ..writing import temporary_folder  # loads SimpleITK, which no help needs

    with temporary_folder(place, out.name):
        pass


def _refuse_inside(out: Path, where: Path, given: Path, values: Mapping[str, object], name: str) -> None:
    """Refuse a folder for results inside one that is read."""
    source = given.resolve()
    if source in where.parents and source.is_dir() and given != values.get(_KIT) and not values.get("resume"):
        beside = source.with_name(f"{source.name}-{where.name}")
        raise CallError(
            f"{name} must lie outside of what is read, got {out} inside {given}; name a new folder, such as {beside}"
        )


def _inputs(values: Mapping[str, object]) -> Iterator[Path]:
    """Return the files and folders among the values; NUL joins the words of a group, as in `--visit T0 FOLDER`."""
    for name, value in values.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            words = item.split("\0") if isinstance(item, str) and "\0" in item else ()
            paths = [item] if isinstance(item, Path) else [Path(word) for word in words]
            yield from (path for path in paths if name != OUT and path.exists())
