"""The Python packages that prediction needs: find what is missing, install it, and help if that fails.

torch comes through the SlicerPyTorch extension, which picks the build for this computer's graphics card; the rest
through `slicer.packaging` (Slicer 5.12) or `slicer.util.pip_install` (5.10). Neither keeps pip from replacing what is
installed, so pip is given the versions that must stay. The panel asks once before anything is installed.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import slicer
from slicer.i18n import tr as _

TORCH = "torch"
REQUIREMENTS = Path(__file__).resolve().parents[1] / "Resources" / "BreastPCR-requirements.txt"
TORCH_AT_LEAST = ">=2.8"  # what the least monai of the requirements takes; older ones forbid newer torch
_MODULES = {"scikit-learn": "sklearn"}  # a package whose module is called differently
HIGHDICOM = "highdicom>=0.25"  # writes DICOM objects; few users need it
DICOMWEB = "dicomweb-client>=0.60"  # speaks with a PACS; the same
_KEPT = (TORCH, "numpy", "SimpleITK", "vtk")  # the build for this graphics card, and what Slicer itself is built on
OFFLINE = _(
    "Without internet: on a computer that has it, and the same Slicer, run "
    "'PythonSlicer -m pip download -d packages -r BreastPCR-requirements.txt torch', copy the folder 'packages', and "
    "run 'PythonSlicer -m pip install --no-index --find-links packages -r BreastPCR-requirements.txt torch' here."
)


def missing_packages(requirements: Path) -> list[str]:
    """Return the packages that are missing or too old, without importing any, which would take seconds."""
    lines = (TORCH + TORCH_AT_LEAST, *read_requirements(requirements))
    return [_name(line) for line in lines if not _is_met(line)]


def read_requirements(path: Path) -> list[str]:
    """Return the lines of a requirements file, without comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def install(requirements: Path) -> None:
    """Install what is missing, without a question.

    Raises:
        RuntimeError: if it fails; the message says what to do.
    """
    missing = missing_packages(requirements)
    try:
        if TORCH in missing:
            _install_torch()
        if wanted := [line for line in read_requirements(requirements) if _name(line) in missing]:
            _install_packages(wanted)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(_("pip failed; the Python console shows why. ") + OFFLINE) from error
    if still := missing_packages(requirements):
        raise RuntimeError(_("Not installed: {names}. ").format(names=", ".join(still)) + OFFLINE)


def loaded_too_old(requirements: Path) -> list[str]:
    """Return the packages that are loaded in a version that is too old: a newer one works after a restart only."""
    found = []
    for line in (TORCH + TORCH_AT_LEAST, *read_requirements(requirements)):
        module = sys.modules.get(_MODULES.get(_name(line), _name(line).lower().replace("-", "_")))
        version_now = getattr(module, "__version__", None)
        if isinstance(version_now, str) and not _allows(line, version_now):
            found.append(_name(line))
    return found


def offer(requirement: str, reason: str) -> bool:
    """Return whether a package is installed; if not, offer to install it.

    Args:
        requirement: as in a requirements file.
        reason: what it is needed for, a sentence.

    Raises:
        RuntimeError: if it cannot be installed; the message says what to do.
    """
    if _is_met(requirement):
        return True
    question = _("Download and install this Python package into Slicer: {name}?").format(name=requirement)
    if not slicer.util.confirmOkCancelDisplay(f"{reason} {question}", _("PCR Predictor")):
        return False
    try:
        _install_packages([requirement])
    except subprocess.CalledProcessError as error:
        raise RuntimeError(_("pip failed; the Python console shows why. ") + OFFLINE) from error
    return _is_met(requirement)


def diagnostics(requirements: Path) -> str:
    """Return what a developer needs to know if an installation fails; nothing about patients or their files."""
    application = slicer.app
    lines = [
        f"Slicer {application.majorVersion}.{application.minorVersion}",
        f"Python {sys.version.split()[0]}, {platform.system()} {platform.release()} {platform.machine()}",
        f"SlicerPyTorch {'installed' if hasattr(slicer.modules, 'pytorchutils') else 'missing'}",
    ]
    for name in (TORCH, "numpy", *map(_name, read_requirements(requirements))):
        lines.append(f"{name} {_version(name) or 'missing'}")
    return "\n".join(lines)


def _install_torch() -> None:
    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        raise RuntimeError(
            _("PyTorch is missing, and so is the extension that installs it; get PyTorch in the Extensions Manager.")
        ) from None
    PyTorchUtils.PyTorchUtilsLogic().installTorch(torchVersionRequirement=TORCH_AT_LEAST)


def _install_packages(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        kept = [(name, installed) for name in _KEPT if (installed := _version(name)) is not None]
        constraints.write_text("".join(f"{name}=={installed}\n" for name, installed in kept), encoding="utf-8")
        try:
            from slicer.packaging import pip_ensure  # 5.12: shows the progress
        except ModuleNotFoundError:
            slicer.util.pip_install(["-c", str(constraints), *wanted])
        else:
            pip_ensure(wanted, constraints=constraints, prompt_install=False, requester="BreastPCR")


def _name(requirement: str) -> str:
    """Return the name of the package in a line of a requirements file."""
    return requirement.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip()


def _is_met(requirement: str) -> bool:
    """Return whether a package is installed in a version that a line of a requirements file allows."""
    found = _version(_name(requirement))
    return found is not None and _allows(requirement, found)


def _allows(requirement: str, found: str) -> bool:
    """Return whether a line of a requirements file allows a version."""
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:
        return True
    return Requirement(requirement).specifier.contains(found, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
