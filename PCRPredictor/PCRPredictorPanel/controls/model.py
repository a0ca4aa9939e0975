"""The list of models beside "Predict", and the section "Model": cards, adding and removing, the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import load_bundle
from PCRPredictorLib.model.store import StoredModel, add_model, list_models, remove_model
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from ..toolkit.plain_text import literal

DEVICES = {"automatic": _("Automatic"), "cpu": _("CPU"), "cuda": _("GPU (CUDA)")}
SETTING = "BreastPCR/Model"


class ModelControls:
    """Chooses a model.

    Args:
        ui: the panel's widgets by name.
        store: folder of the user's own models.
        session: that predicts with the model.
    """

    def __init__(self, ui: Any, store: Path, session: Session) -> None:
        self._ui, self._store, self._session = ui, store, session
        self._models: list[StoredModel] = []
        self._card = ""
        for key, label in DEVICES.items():
            ui.deviceSelector.addItem(label, key)
        ui.deviceSelector.connect("currentIndexChanged(int)", self._choose_device)
        ui.modelSelector.connect("currentIndexChanged(int)", self._choose)
        ui.addFolderButton.connect("clicked(bool)", self._add_folder)
        ui.addZipButton.connect("clicked(bool)", self._add_zip)
        ui.removeModelButton.connect("clicked(bool)", self._remove)
        ui.predictButton.connect("clicked(bool)", self._look_again)
        session.kept.find_model = self._find
        session.activity.on_change.append(self.update)

    def refresh(self, chosen: str | None = None) -> None:
        """List the models, and choose one by its name, or the one that was chosen last."""
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
            added = add_model(source, self._store)
            self.refresh(added.name)
            if added.kind != "image":
                text = _("{name} was added. It reads several visits: choose it in the section Follow-up.")
                self._session.activity.report_problem(text.format(name=added.name))
        except DataError as error:
            self._session.activity.report_problem(str(error))

    def update(self) -> None:
        """Show the chosen model in brief, and its card."""
        model = self._session.model
        self._ui.modelLabel.text = model.describe_briefly(_)
        card = model.describe(_)
        if card != self._card:  # a browser that gets its text again scrolls to the top
            self._card = card
            self._ui.cardBrowser.setHtml(card)
        if model.path is not None and (now := self._model()) is not None and now.path != model.path:
            self._select(model.path)  # that of a result which the scene has kept

    def _model(self) -> StoredModel | None:
        k = self._ui.modelSelector.currentIndex
        return self._models[k] if 0 <= k < len(self._models) else None

    def _find(self, checksum: str) -> Path | None:
        """Return the folder of the listed model of a checksum."""
        for model in self._models:
            try:
                if load_bundle(model.path).checksum == checksum:
                    return model.path
            except DataError:  # its card says why, if it is chosen
                continue
        return None

    def _select(self, path: Path) -> None:
        selector, paths = self._ui.modelSelector, [model.path for model in self._models]
        before = selector.blockSignals(True)
        selector.setCurrentIndex(paths.index(path) if path in paths else -1)
        selector.blockSignals(before)

    def _choose(self, *_args: object) -> None:
        model = self._model()
        self._ui.removeModelButton.enabled = model is not None and model.own
        self._session.choose_model(model.path if model is not None else None)
        if self._session.model.bundle is not None:
            qt.QSettings().setValue(SETTING, model.name)

    def _choose_device(self, *_args: object) -> None:
        self._session.model.device = self._ui.deviceSelector.currentData

    def _look_again(self, *_args: object) -> None:
        """List the models again if "Predict" found the chosen one gone from the disk."""
        if self._session.model.bundle is None:
            self.refresh()

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
        if model is None or not slicer.util.confirmYesNoDisplay(literal(question.format(name=model.name))):
            return
        try:
            remove_model(model)
        except DataError as error:
            self._session.activity.report_problem(str(error))
        self.refresh()
