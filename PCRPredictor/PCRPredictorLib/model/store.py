"""The models that can be chosen: those that ship, and those in a folder of the user."""

import re
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..bundles.bounds import LARGEST_BUNDLE, MOST_FILES
from ..bundles.folder import METADATA, Kind, bundled_models, is_kind, kind_of, verify_bundle
from ..errors import DataError
from ..writing import whole_folder

_NAME = re.compile(r"[\w+-][\w .+-]{0,99}")  # of a model: a plain folder name
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, LookupError)


@dataclass(frozen=True)
class StoredModel:
    """A model that can be chosen.

    Args:
        name: of its folder.
        path: bundle folder.
        own: whether the user added it, and may remove it.
        kind: of the model.
    """

    name: str
    path: Path
    own: bool
    kind: Kind = "image"


def list_models(store: Path, kind: Kind = "image") -> list[StoredModel]:
    """Return the models of a kind that ship, then the user's own; folders that are not bundles are skipped."""
    shipped = [StoredModel(name, path, False, kind) for name, path in bundled_models(kind).items()]
    folders = [f for f in sorted(store.iterdir()) if (f / METADATA).is_file()] if store.is_dir() else []
    return shipped + [StoredModel(f.name, f, True, kind) for f in folders if is_kind(f, kind)]


def add_model(source: Path, store: Path, name: str | None = None) -> StoredModel:
    """Copy a verified bundle of any kind, a folder or a zip file, into the user's models.

    Args:
        name: of the new model; by default that of the folder, or of the run if the folder is called "bundle".

    Raises:
        DataError: if it is not a bundle, is damaged or of a kind of a later version, or the name is taken.
    """
    if source.is_dir():
        return _copy(source, store, name or _name_of(source.resolve()))
    if not source.is_file() or not zipfile.is_zipfile(source):
        raise DataError(f"{source}: must be a bundle folder or a zip file of one; pcr bundle export makes one")
    with tempfile.TemporaryDirectory() as temporary:
        bundle = _unpack(source, Path(temporary))
        return _copy(bundle, store, name or _name_of(bundle))


def remove_model(model: StoredModel) -> None:
    """Delete one of the user's own models.

    Raises:
        DataError: if it ships with the extension or cannot be deleted.
    """
    if not model.own:
        raise DataError(f"the model {model.name} ships with the extension and cannot be removed; remove only your own")
    try:
        shutil.rmtree(model.path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DataError(f"{model.path}: cannot be deleted ({error.strerror}); close what uses it") from None


def _name_of(bundle: Path) -> str:
    return bundle.parent.name if bundle.name == "bundle" else bundle.name


def _copy(bundle: Path, store: Path, name: str) -> StoredModel:
    verify_bundle(bundle)
    kind = kind_of(bundle)
    if not _NAME.fullmatch(name):
        raise DataError(
            f"the name of a model must be letters, digits, spaces and . + - _, got {name!r}; choose another"
        )
    target = store / name
    if target.exists() or name in bundled_models():
        raise DataError(f"{name}: there is a model of that name; remove it first, or rename the folder")
    with whole_folder(target) as staging:
        shutil.copytree(bundle, staging, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    return StoredModel(target.name, target, True, kind)


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack a zip file inside `folder`, and return the bundle's folder in it."""
    name = archive.stem if _NAME.fullmatch(archive.stem) else "bundle"  # of one that is packed without a folder
    inside = folder / name
    try:
        with zipfile.ZipFile(archive) as file:
            entries = file.infolist()
            size = sum(entry.file_size for entry in entries)
            if len(entries) > MOST_FILES or size > LARGEST_BUNDLE:
                raise DataError(
                    f"{archive}: unpacks to {len(entries)} files of {size >> 20} MB together, at most {MOST_FILES} of "
                    f"{LARGEST_BUNDLE >> 20} MB are a bundle; check the file"
                )
            for entry in entries:
                if not (inside / entry.filename).resolve().is_relative_to(inside.resolve()):
                    raise DataError(
                        f"{archive}: holds {entry.filename!r}, which leads out of the bundle; do not use this file"
                    )
            file.extractall(inside)  # reads no more of an entry than the size that it names
    except DataError:
        raise
    except (*_DAMAGED, OSError) as error:
        raise DataError(
            f"{archive}: cannot be unpacked ({error}); get it again, or pcr bundle export makes one"
        ) from None
    found = sorted(path.parents[1] for path in inside.rglob(METADATA))
    if len(found) != 1:
        raise DataError(f"{archive}: must hold one bundle, got {len(found)}; pcr bundle export makes such a file")
    return found[0]
