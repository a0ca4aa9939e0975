"""The section "Settings": fields made from the dataclasses of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import qt
from PCRPredictorLib.errors import DataError
from PCRPredictorPanel.controls.patient import decimals_of
from PCRPredictorPanel.toolkit.path_field import follow, path_of, remember
from PCRPredictorPanel.toolkit.plain_text import show_plain
from PCRTrainingLib.config import config_to_json, read_config
from PCRTrainingLib.settings import OFFERED, describe_setting, read_setting, write_setting
from slicer.i18n import tr as _

PRESETS = {"quick": _("Quick look"), "full": _("Full"), "file": _("From a file")}
DEVICES = {"cpu": _("CPU"), "cuda": _("GPU (CUDA)")}
_MOST = 2**31 - 1  # the largest number that a field holds


class SettingsForm:
    """Chooses a configuration.

    Args:
        ui: the panel's widgets by name.
        changed: called when a different configuration was chosen.
    """

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        self._ui, self._changed = ui, changed
        self.problem: str | None = None  # why there is no configuration, a sentence
        self._base: dict[str, Any] = {}
        self._fields: dict[str, Any] = {}
        self._initial: dict[str, Any] = {}  # values of the fields before the user changed any
        for key, text in PRESETS.items():
            ui.presetSelector.addItem(text, key)
        for key, text in DEVICES.items():
            ui.deviceSelector.addItem(text, key)
        ui.presetSelector.connect("currentIndexChanged(int)", self.load)
        remember(ui.configPath, "Configuration")
        follow(ui.configPath, self.load)

    def load(self, *_args: object) -> None:
        """Show the chosen preset or file, or why it cannot be used."""
        preset = self._ui.presetSelector.currentData
        self._ui.configPath.enabled = preset == "file"
        source = path_of(self._ui.configPath) if preset == "file" else preset
        self._base, self.problem = {}, None
        if source is None:
            self.problem = _("Choose the file of a configuration.")
        else:
            try:
                self._base = config_to_json(read_config(source))
            except DataError as error:
                self.problem = str(error)
        self._ui.configLabel.text = self.problem or ""
        self._fill()
        self._changed()

    def _fill(self) -> None:
        """Make new fields; without a configuration there are none."""
        parent = self._ui.settingsForm
        layout = parent.layout()
        if layout is None:  # not `or`: an empty layout is false in PythonQt
            layout = qt.QFormLayout(parent)
        while layout.rowCount():
            layout.removeRow(0)
        self._fields = {}
        for name in OFFERED if self._base else ():
            described = describe_setting(name)
            field = _make_field(described, read_setting(self._base, name))
            field.objectName = "setting_" + name.replace("*.", "").replace(".", "_")
            field.toolTip = described["description"]
            layout.addRow(f"{described['title']}:", field)
            self._fields[name] = field
        show_plain(parent)
        self._initial = {name: _field_value(field) for name, field in self._fields.items()}

    def content(self) -> Mapping[str, Any]:
        """Return the settings as JSON for `pcr train --config`."""
        changed = deepcopy(self._base)
        for name, field in self._fields.items():
            value = _field_value(field)
            if value != self._initial[name]:  # not the setting itself, which a field may round
                write_setting(changed, name, value)
        return changed


def _make_field(described: Mapping[str, Any], value: Any) -> qt.QWidget:
    if described["type"] == "boolean":
        field = qt.QCheckBox()
        field.checked = bool(value)
    elif described["type"] == "choice":
        field = qt.QComboBox()
        for choice in described["choices"]:
            field.addItem(choice or _("none"), choice)
        field.setCurrentIndex(described["choices"].index(value or ""))
    elif described["type"] == "integer":
        field = qt.QSpinBox()
        shown = min(int(value), _MOST)
        field.setRange(int(described["minimum"]), max(int(described["maximum"]), shown))
        field.setValue(shown)
    else:
        field = qt.QDoubleSpinBox()
        field.setDecimals(max(2, decimals_of(value or 0)))
        field.setSingleStep(0.05)
        field.setRange(float(described["minimum"]), float(described["maximum"]))
        field.setValue(float(value or 0))
    return field


def _field_value(field: Any) -> Any:
    if isinstance(field, qt.QCheckBox):
        return field.checked
    if isinstance(field, qt.QComboBox):
        return field.currentData or None
    return field.value if isinstance(field, qt.QSpinBox) else round(field.value, 6)
