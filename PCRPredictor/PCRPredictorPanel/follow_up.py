"""The section "Follow-up" put together: visits, analysis, comparison, and their controls."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import qt
import slicer
from PCRPredictorLib.model.store import StoredModel, list_models
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.comparison import Comparison
from PCRPredictorLib.session.course.follow_up import FollowUp
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from .controls.follow_up import FollowUpControls
from .controls.side_by_side import SceneVisits, SideBySideControls
from .controls.tumour import TumourControls
from .node_scene import NodeScene
from .visit_nodes import choose_again

SETTING = "BreastPCR/ResponseModel"


class FollowUpPart:
    """The follow-up of the patient whose exam is open.

    Args:
        ui: the section's widgets by name.
        panel: all widgets of the panel by name.
        scene: with the exam that is open.
        session: that works on it.
        tumour: whose tools are given back while visits are compared.
        store: folder of the user's own models.
        missing: gives the reason why nothing can be predicted in this Slicer, or None.
    """

    def __init__(
        self,
        ui: Any,
        panel: Any,
        scene: NodeScene,
        session: Session,
        tumour: TumourControls,
        store: Path,
        missing: Callable[[], str | None],
    ) -> None:
        self._ui, self._store = ui, store
        self._models: list[StoredModel] = []
        self.visits = FollowUp(session, scene, partial(choose_again, scene))
        self.analysis = Analysis(self.visits, blocked=missing)
        self._views = SceneVisits(tumour.release)
        self.comparison = Comparison(self.analysis, self._views)
        self.controls = FollowUpControls(ui, self.analysis, lambda: setattr(panel.followUpSection, "collapsed", False))
        self.side_by_side = SideBySideControls(ui, session, self.comparison)
        ui.followModelSelector.connect("currentIndexChanged(int)", self._choose)
        for button in (panel.editButton, panel.clickButton):  # strokes belong into the open exam's own space
            button.connect("toggled(bool)", lambda on: on and self.comparison.hide())
        panel.followUpSection.connect("contentsCollapsed(bool)", self.refresh)
        self.refresh()

    def refresh(self, *_args: object) -> None:
        """List the response models, and choose the one that was chosen last."""
        selector = self._ui.followModelSelector
        before = selector.blockSignals(True)
        self._models = list_models(self._store, "response")
        selector.clear()
        for model in self._models:
            selector.addItem(model.name if model.own else _("{name} (bundled)").format(name=model.name), model.name)
        selector.setCurrentIndex(
            max(selector.findData(slicer.util.settingsValue(SETTING, "")), 0) if self._models else -1
        )
        selector.blockSignals(before)
        self._choose()

    def forget_scene(self) -> None:
        """Drop everything of a scene that is about to close."""
        self._views.forget()
        self.visits.clear()

    def _choose(self, *_args: object) -> None:
        number = self._ui.followModelSelector.currentIndex
        model = self._models[number] if 0 <= number < len(self._models) else None
        if model is not None and self.analysis.model.path is not None:
            qt.QSettings().setValue(SETTING, model.name)
        self.analysis.choose_model(model.path if model is not None else None)
