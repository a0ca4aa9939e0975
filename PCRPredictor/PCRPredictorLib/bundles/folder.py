"""The folder of a bundle: its kind, its checksums, the models that ship, packing.

    configs/metadata.json    card, inputs, output, and the kind of the model
    configs/inference.json   all that it needs at inference
    docs/README.md           the model card for people
    checksums.json           SHA-256 of all other files

Reading a bundle executes nothing from it. `model.bundle` reads those with networks, `response.bundle` response models.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal, get_args

from ..errors import DataError
from ..files import json_text
from .bounds import check_folder

METADATA, INFERENCE, CHECKSUMS, README = (
    "configs/metadata.json",
    "configs/inference.json",
    "checksums.json",
    "docs/README.md",
)
DEFAULT_MODEL = "ispy2"  # of one exam; that of several visits is `response.bundle.DEFAULT`
Kind = Literal["image", "response"]  # of a model: networks that read an exam; formulas that read several visits
_WHAT: dict[Kind, str] = {
    "image": "a model of one exam before treatment; use it with pcr predict, and give a response model here",
    "response": "a response model, which reads several visits; use it with pcr follow or in Follow-up, and give a "
    "model of one exam here",
}
_AGAIN = "get it again from where it came from"


def model_folders() -> list[Path]:
    """Return the folders that models ship in: inside the installed package, and in the repository."""
    here = Path(__file__).resolve().parents[1]
    return [root for root in (here / "Models", here.parents[1] / "Resources" / "Models") if root.is_dir()]


def bundled_models(kind: Kind | None = None) -> dict[str, Path]:
    """Return name and folder of the models that ship, of one kind or all."""
    return {
        folder.name: folder
        for root in model_folders()
        for folder in sorted(root.iterdir())
        if (folder / METADATA).is_file() and (kind is None or is_kind(folder, kind))
    }


def find_bundle(name: str | Path, kind: Kind | None = None) -> Path:
    """Return the folder of a model: a bundle, the bundle of a training run, or a bundled model of that name.

    Args:
        kind: that it must be of; None for any.

    Raises:
        DataError: if it is none of these, or is of a different kind.
    """
    bundled = bundled_models()
    found = next((folder for folder in (Path(name), Path(name) / "bundle") if (folder / METADATA).is_file()), None)
    if found is None and str(name) in bundled:
        found = bundled[str(name)]
    if found is None and Path(name).is_dir():
        return Path(name)
    if found is None and Path(name).is_file() and Path(name).suffix.lower() == ".zip":
        folder = Path(name).with_suffix("")
        raise DataError(
            f"{name}: is packed; unpack it (unzip {Path(name).name}) and give the folder in it, {folder.name}"
        )
    if found is None:
        models = ", ".join(bundled_models(kind))
        raise DataError(f"{name}: no such model; give a bundle folder{f' or one of {models}' if models else ''}")
    if kind is not None and not is_kind(found, kind):
        check_kind(found, kind)
    return found


def kind_of(path: Path) -> Kind:
    """Return the kind of a bundle; those of earlier versions do not name it and are of images.

    Raises:
        DataError: if its metadata cannot be read, or name a kind of a later version.
    """
    kind = read_json(path / METADATA).get("kind", "image")
    if kind not in get_args(Kind):
        kinds = " or ".join(get_args(Kind))
        raise DataError(f"{path}: the kind of a model must be {kinds}, got {kind!r}; update BreastPCR")
    return kind


def is_kind(path: Path, kind: Kind) -> bool:
    """Return True for a bundle of that kind, and for one that cannot be read: its reader says why."""
    try:
        return kind_of(path) == kind
    except DataError:
        return True


def check_kind(path: Path, kind: Kind) -> None:
    """Check that a bundle is of a kind.

    Raises:
        DataError: naming the command for the kind that it is of, or if its metadata cannot be read.
    """
    found = kind_of(path)
    if found != kind:
        others = ", ".join(bundled_models(kind))
        name = path.name if path.parent in model_folders() else path
        raise DataError(f"{name} is {_WHAT[found]}{f', such as {others}' if others else ''}")


def verify_bundle(path: Path) -> str:
    """Compare every file with its checksum.

    Returns:
        SHA-256 of the list of checksums, which stands for the whole bundle.

    Raises:
        DataError: naming the file that is missing, changed, not listed, or a link that leaves the folder; or if the
            folder is larger than any bundle.
    """
    if not (path / CHECKSUMS).is_file():
        raise DataError(f"{path}: not a model bundle, it has no {CHECKSUMS}; give a folder made by pcr train")
    expected = read_json(path / CHECKSUMS)
    check_folder(path)
    found = checksums(path)
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            what = "is missing" if name not in found else "was changed" if name in expected else "does not belong to it"
            raise DataError(f"{path}: {name} {what}; the bundle is damaged, {_AGAIN}")
    return hashlib.sha256((path / CHECKSUMS).read_bytes()).hexdigest()


def checksums(path: Path) -> dict[str, str]:
    """Return SHA-256 of every file of a bundle except the list itself, by relative name; hidden files do not count."""
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return {name: _hash(file) for file in files if (name := file.relative_to(path).as_posix()) != CHECKSUMS}


def _hash(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as stream:
        while part := stream.read(2**20):
            found.update(part)
    return found.hexdigest()


def read_json(path: Path) -> dict:
    """Return the content of a JSON file of a bundle.

    Raises:
        DataError: if it cannot be read, is too large, is no JSON object, or holds a number that is not finite.
    """
    try:
        content = json_text.read_json(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error}); the bundle is damaged, get it again") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: must hold a JSON object; the bundle is damaged, get it again")
    return content
