"""The frame at the top of the panel: which Python packages are missing, and installing them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from ..dependencies import OFFLINE, diagnostics, install, missing_packages


class SetupControls:
    """Offers to install what is missing; hidden if nothing is.

    Args:
        ui: the panel's widgets by name.
        requirements: file that lists the packages.
        changed: called after an installation.
    """

    def __init__(self, ui: Any, requirements: Path, changed: Callable[[], None]) -> None:
        self._ui, self.requirements, self._changed = ui, requirements, changed
        ui.installButton.connect("clicked(bool)", self._install)
        ui.diagnosticsButton.connect("clicked(bool)", self._copy_diagnostics)
        self.check()

    def check(self) -> None:
        """Show what is missing now."""
        missing = missing_packages(self.requirements)
        self._ui.setupFrame.setVisible(bool(missing))
        if missing:
            text = _("Python packages are missing or too old: {names}.")
            self._ui.setupLabel.text = text.format(names=", ".join(missing)) + " " + OFFLINE

    def problem(self) -> str | None:
        """Return why nothing can be predicted, or None if no package is missing."""
        return None if self._ui.setupFrame.isHidden() else _("Install the missing packages first, see above.")

    def _install(self, *_args: object) -> None:
        names = ", ".join(missing_packages(self.requirements))
        question = _("Download and install these Python packages into Slicer: {names}?").format(names=names)
        if not slicer.util.confirmOkCancelDisplay(question, _("PCR Predictor")):
            return
        try:
            with slicer.util.tryWithErrorDisplay(_("The packages could not be installed."), waitCursor=True):
                install(self.requirements)
        finally:  # the error is raised again after it was shown
            self.check()
            self._changed()

    def _copy_diagnostics(self, *_args: object) -> None:
        qt.QApplication.clipboard().setText(diagnostics(self.requirements))
