"""The frame at the top of the panel: which Python packages are missing, and installing them."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..dependencies import OFFLINE, diagnostics, install, loaded_too_old, missing_packages

_AFTER_RESTART = _("Newer ones work after a restart, if this module is opened before the other extension is used.")


class SetupControls:
    """Offers to install what is missing; hidden if nothing is.

    Args:
        ui: the panel's widgets by name.
        requirements: file that lists the packages.
        changed: called after an installation.
    """

    def __init__(self, ui: Any, requirements: Path, changed: Callable[[], None]) -> None:
        self._ui, self.requirements, self._changed = ui, requirements, changed
        self._old: list[str] = []
        ui.installButton.connect("clicked(bool)", self._install)
        ui.diagnosticsButton.connect("clicked(bool)", self._copy_diagnostics)
        self.check()

    def check(self) -> None:
        """Show what is missing now."""
        missing, self._old = missing_packages(self.requirements), loaded_too_old(self.requirements)
        self._ui.setupFrame.setVisible(bool(missing or self._old))
        self._ui.installButton.text = _("Install") if missing else _("Restart Slicer")
        if missing:
            text = _("Python packages are missing or too old: {names}.")
            self._ui.setupLabel.text = text.format(names=", ".join(missing)) + " " + OFFLINE
        elif self._old:
            text = _("A different extension has loaded older versions of these Python packages: {names}. ")
            self._ui.setupLabel.text = text.format(names=", ".join(self._old)) + _AFTER_RESTART

    def problem(self) -> str | None:
        """Return why nothing can be predicted, or None if no package is missing."""
        if self._ui.setupFrame.isHidden():
            return None
        if missing_packages(self.requirements):
            return _("Install the missing packages first, see above.")
        return _("Restart Slicer first, see above.")

    def _install(self, *_args: object) -> None:
        missing = missing_packages(self.requirements)
        in_use = [name for name in missing if name in self._old]
        if not missing or (in_use and platform.system() == "Windows"):  # which replaces no file that is in use
            self._restart(in_use or self._old)
            return
        names = ", ".join(missing)
        question = _("Download and install these Python packages into Slicer: {names}?").format(names=names)
        if not slicer.util.confirmOkCancelDisplay(question, _("PCR Predictor")):
            return
        try:
            with slicer.util.tryWithErrorDisplay(_("The packages could not be installed."), waitCursor=True):
                install(self.requirements)
        finally:  # the error is raised again after it was shown
            self.check()
            self._changed()
        if self._old:
            self._restart(self._old)

    def _restart(self, names: list[str]) -> None:
        """Ask, and restart Slicer; which does not ask itself."""
        text = _("Older versions of these Python packages are in use: {names}. ").format(names=", ".join(names))
        question = _("Restart Slicer now? What is not saved is lost.")
        if slicer.util.confirmOkCancelDisplay(f"{text}{_AFTER_RESTART} {question}", _("PCR Predictor")):
            slicer.util.restart()

    def _copy_diagnostics(self, *_args: object) -> None:
        qt.QApplication.clipboard().setText(diagnostics(self.requirements))
