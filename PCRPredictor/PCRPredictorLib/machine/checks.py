"""What this machine has of what the program needs: versions, packages, graphics, memory, disk, models.

No path, name of a user or identifier is in it unless asked for, so that it can be sent with a question.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from .. import __version__
from ..bundles.folder import bundled_models, verify_bundle
from ..errors import DataError
from ..extras.install import EXTRAS, install_line, package_line
from ..files.memory import total_memory
from ..pacs.configuration import VARIABLE, read_configuration

OK, MISSING, WRONG = "ok", "missing", "wrong"
_LEAST_MEMORY, _LEAST_DISK = 4 << 30, 1 << 30  # bytes: of a prediction of a full-size exam; of the results of a few
_NEEDED = (  # if the metadata of the installation cannot be read
    *("torch", "monai", "numpy", "scipy", "SimpleITK", "scikit-learn", "pandas", "pydicom", "safetensors", "typer"),
    *("rich", "matplotlib", "Jinja2", "pydantic", "filelock", "psutil"),
)
_APT = "sudo apt-get install -y libegl1 libgl1-mesa-dri libgl1"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        name: of it.
        state: `OK`, `MISSING` (something optional is not there) or `WRONG` (the program cannot work as it should).
        found: what is there.
        advice: what to do; "" if nothing.
    """

    name: str
    state: str
    found: str
    advice: str = ""


def check_machine(paths: bool = False) -> list[Check]:
    """Return everything that was looked at, in the order in which it is shown.

    Args:
        paths: also show folders of the installation and of temporary files, in which a user's name may be.
    """
    found = [
        Check("breastpcr", OK, __version__),
        Check("Python", OK, platform.python_version()),
        Check("system", OK, f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores"),
        *_packages(),
        *_extras(),
        _guarded("GPU", _gpu),
        _opengl(),
        _memory(),
        _disk(),
        _guarded("models", _models),
        _pacs(),
    ]
    if not paths:
        return [replace(check, found=_without_home(check.found), advice=_without_home(check.advice)) for check in found]
    places = {
        "installed in": str(Path(__file__).resolve().parents[1]),
        "Python in": sys.executable,
        "temporary files in": tempfile.gettempdir(),
    }
    return [*found, *(Check(name, OK, place) for name, place in places.items())]


def _without_home(text: str) -> str:
    """Return a text with the user's folder as a shell names it."""
    home = str(Path.home())
    return text if len(home) < 2 else text.replace(home, "%USERPROFILE%" if sys.platform == "win32" else "$HOME")


def _packages() -> Iterator[Check]:
    """Yield the packages that the program needs, each with its version or the line that installs it."""
    for name in _requirements():
        try:
            yield Check(name, OK, version(name))
        except PackageNotFoundError:
            yield Check(name, WRONG, "not installed", package_line([name]))


def _requirements() -> list[str]:
    try:
        lines = [line for line in requires("breastpcr") or [] if "extra ==" not in line]
    except PackageNotFoundError:
        lines = []
    return [re.split(r"[\s\[<>=!~;]", line, maxsplit=1)[0] for line in lines] or list(_NEEDED)


def _extras() -> Iterator[Check]:
    """Yield the optional parts, each with what it lacks and the line that installs it."""
    for extra, packages in EXTRAS.items():
        names = [re.split(r"[\[<>=]", package, maxsplit=1)[0] for package in packages]
        lacking = [name for name in names if not _is_installed(name)]
        state, text = (MISSING, f"without {', '.join(lacking)}") if lacking else (OK, "installed")
        yield Check(f"part {extra}", state, text, install_line(extra) if lacking else "")


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _gpu() -> Check:
    import torch

    if not torch.cuda.is_available():
        return Check("GPU", OK, "none for torch; everything works on the CPU")
    names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    return Check("GPU", OK, ", ".join(names), "use it with --device cuda")


def _opengl() -> Check:
    """Return whether pages can be drawn without a screen; only Linux does not bring its own library."""
    for library in ("libEGL.so.1", "libGL.so.1") if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError:
            return Check("OpenGL", MISSING, f"without {library}, which pcr view draws with", _APT)
    return Check("OpenGL", OK, "there")


def _memory() -> Check:
    total = total_memory()
    if total is None:
        return Check("memory", OK, "unknown")
    text = f"{total / 2**30:.1f} GB for this program"
    low = total < _LEAST_MEMORY
    return Check("memory", WRONG if low else OK, text, "4 GB or more are needed for a full-size exam" if low else "")


def _disk() -> Check:
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return Check("free disk", OK, "unknown")
    advice = "free some space for temporary files" if free < _LEAST_DISK else ""
    return Check("free disk", WRONG if advice else OK, f"{free / 2**30:.1f} GB for temporary files", advice)


def _models() -> Check:
    names = []
    for name, path in bundled_models().items():
        try:
            verify_bundle(path)
        except DataError:  # whose sentence has a path
            return Check("models", WRONG, f"{name}: damaged", f"pcr bundle verify {name} says what; install it again")
        names.append(name)
    if not names:
        return Check("models", WRONG, "none came with this program", "install it again")
    return Check("models", OK, f"{', '.join(names)}: intact")


def _pacs() -> Check:
    if not os.environ.get(VARIABLE):
        return Check("PACS", MISSING, "not configured", f"name a file in {VARIABLE}, or give it with --pacs")
    if not Path(os.environ[VARIABLE]).is_file():
        return Check("PACS", WRONG, f"the file that {VARIABLE} names is not there", "check the path")
    try:
        read_configuration()
    except DataError:  # which names folders of the user
        return Check("PACS", WRONG, f"the file that {VARIABLE} names cannot be used", "pcr pacs find says why")
    return Check("PACS", OK, f"configured by {VARIABLE}")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """Return a check, or what kept it from being made."""
    try:
        return check()
    except (ImportError, OSError, RuntimeError) as error:
        return Check(name, WRONG, f"cannot be looked at ({type(error).__name__})", "install the packages again")
