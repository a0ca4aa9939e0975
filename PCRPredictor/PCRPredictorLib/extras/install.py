"""The line that installs an optional part, as it works where this library runs.

BreastPCR is on no package index, so that a line never names it alone: a checkout is installed by its path, with the
versions of its `constraints.txt`; beside a wheel, and in Slicer, the packages of the part are named themselves.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path

EXTRAS = {  # as in pyproject.toml, where they are the optional dependencies
    "scene": ("slicer-core>=5.11",),
    "view": ("trame-slicer[standalone]>=2.0", "aiohttp>=3.10"),
    "dicom": ("highdicom>=0.25", "dicomweb-client>=0.60"),
    "cluster": ("distributed>=2026.1", "cryptography>=43"),
    "slurm": ("distributed>=2026.1", "cryptography>=43", "dask-jobqueue>=0.9"),
    "kubernetes": ("distributed>=2026.1", "cryptography>=43", "dask-kubernetes>=2025.7"),
    "swin": ("einops>=0.8",),
    "federated": ("nvflare>=2.9,<2.10",),
}
_CHECKOUT = Path(__file__).resolve().parents[3]  # if this file lies in one


def install_line(extra: str) -> str:
    """Return the line that installs an optional part into the Python that runs.

    Args:
        extra: one of `EXTRAS`.

    Returns:
        A line for a shell, or in Slicer for its Python console.

    Raises:
        KeyError: if there is no such part.
    """
    packages = EXTRAS[extra]
    if in_slicer() or (checkout := find_checkout()) is None:
        return package_line(packages)
    path = _quoted(f"{checkout}[{extra}]")
    constraints = _quoted(str(checkout / "constraints.txt"))
    return f"{_pip_install()} -c {constraints} {'-e ' if _is_editable() else ''}{path}"


def package_line(requirements: Sequence[str]) -> str:
    """Return the line that installs packages from an index, named with the versions that they may have."""
    if in_slicer():
        return f"slicer.util.pip_install({' '.join(requirements)!r})"
    return f"{_pip_install()} {' '.join(_quoted(each) for each in requirements)}"


def find_checkout() -> Path | None:
    """Return the folder of the checkout that this library runs from or was installed from, None without one."""
    if _is_checkout(_CHECKOUT):
        return _CHECKOUT
    url = str(_origin().get("url", ""))
    place = Path(url.removeprefix("file://")) if url.startswith("file://") else None
    return place if place is not None and _is_checkout(place) else None


def in_slicer() -> bool:
    """Return True in 3D Slicer, whose Python has an installer of its own; `slicer-core` alone has none."""
    return hasattr(getattr(sys.modules.get("slicer"), "app", None), "applicationName")


def _is_checkout(place: Path) -> bool:
    return (place / "pyproject.toml").is_file() and (place / "PCRPredictor" / "PCRPredictorLib").is_dir()


def _is_editable() -> bool:
    """Return True if the library is installed as a link to its checkout, as `make` does it."""
    folder = _origin().get("dir_info")
    return isinstance(folder, dict) and bool(folder.get("editable"))


def _origin() -> dict[str, object]:
    """Return what pip noted about where the library was installed from; {} if it is not installed, or not by pip."""
    try:
        text = Distribution.from_name("breastpcr").read_text("direct_url.json")
        found = json.loads(text or "{}")
    except (PackageNotFoundError, ValueError, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def _pip_install() -> str:
    """Return the beginning of a line for pip, or for uv where its environment has no pip."""
    if find_spec("pip") is None and shutil.which("uv"):
        return f"uv pip install --python {_quoted(sys.executable)}"
    on_path = shutil.which("python")
    is_this = on_path is not None and Path(on_path).absolute() == Path(sys.executable).absolute()
    return f"{'python' if is_this else _quoted(sys.executable)} -m pip install"


def _quoted(word: str) -> str:
    """Return a word in quotes that every shell knows, if it needs any."""
    return f'"{word}"' if any(letter in word for letter in " []<>=,()&") else word
