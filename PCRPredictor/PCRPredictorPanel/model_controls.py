"""The section "Model": the list of models with their cards, adding and removing, the device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import Bundle, load_bundle
from PCRPredictorLib.model.store import StoredModel, add_model, list_models, remove_model
from PCRPredictorLib.report.wording import describe_model
from slicer.i18n import tr as _

DEVICES = {"automatic": _("Automatic"), "cpu": _("CPU"), "cuda": _("GPU (CUDA)")}
SETTING = "BreastPCR/Model"


class ModelControls:
    """Chooses a model.

    Args:
        ui: the panel's widgets by name.
        store: folder of the user's own models.
        changed: called with the bundle that was chosen, None where it cannot be read.
        complain: called with a sentence when something cannot be done.
    """

    def __init__(
        self, ui: Any, store: Path, changed: Callable[[Bundle | None], None], complain: Callable[[str], None]
    ) -> None:
        self._ui, self._store, self._changed, self._complain = ui, store, changed, complain
        self._models: list[StoredModel] = []
        self.bundle: Bundle | None = None
        for key, label in DEVICES.items():
            ui.deviceSelector.addItem(label, key)
        ui.modelSelector.connect("currentIndexChanged(int)", self._choose)
        ui.addFolderButton.connect("clicked(bool)", self._add_folder)
        ui.addZipButton.connect("clicked(bool)", self._add_zip)
        ui.removeModelButton.connect("clicked(bool)", self._remove)

    @property
    def device(self) -> str:
        """ "automatic", "cpu" or "cuda"."""
        return self._ui.deviceSelector.currentData

    def refresh(self, chosen: str | None = None) -> None:
        """List what is there, and choose a model by name, or the one that was chosen last."""
        wanted = chosen or slicer.util.settingsValue(SETTING, "")
        selector = self._ui.modelSelector
        before = selector.blockSignals(True)
        self._models = list_models(self._store)
        selector.clear()
        for model in self._models:
            selector.addItem(model.name if model.own else _("{name} (bundled)").format(name=model.name), model.name)
        selector.setCurrentIndex(max(selector.findData(wanted), 0))
        selector.blockSignals(before)
        self._choose()

    def add(self, source: Path) -> None:
        """Add a model from a folder or a zip file, and choose it."""
        try:
            model = add_model(source, self._store)
        except DataError as error:
            self._complain(str(error))
            return
        self.refresh(model.name)

    def check(self) -> Bundle:
        """The chosen model, read again: it may have gone from the disk.

        Raises:
            DataError: if there is none, or it cannot be read.
        """
        model = self._model()
        if model is None:
            raise DataError(_("Choose a model."))
        self.bundle = load_bundle(model.path)
        return self.bundle

    def _model(self) -> StoredModel | None:
        k = self._ui.modelSelector.currentIndex
        return self._models[k] if 0 <= k < len(self._models) else None

    def _choose(self, *_args: object) -> None:
        model = self._model()
        self._ui.removeModelButton.enabled = model is not None and model.own
        try:
            bundle = self.check()
            self._ui.cardLabel.text = describe_model(bundle, _)
            qt.QSettings().setValue(SETTING, model.name if model else "")
        except DataError as error:
            self.bundle = None
            self._ui.cardLabel.text = str(error)
        self._changed(self.bundle)

    def _add_folder(self, *_args: object) -> None:
        path = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder of a model"))
        if path:
            self.add(Path(path))

    def _add_zip(self, *_args: object) -> None:
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), _("Zip file of a model"), "", "*.zip")
        if path:
            self.add(Path(path))

    def _remove(self, *_args: object) -> None:
        model = self._model()
        question = _("Remove the model {name} from this computer?")
        if model is None or not slicer.util.confirmYesNoDisplay(question.format(name=model.name)):
            return
        try:
            remove_model(model)
        except DataError as error:
            self._complain(str(error))
        self.refresh()
