"""The part "Store result" of the section "Result": what would be sent to a PACS is shown, then asked, then sent.

Slicer's own send dialog signs in nowhere, sends twice what is sent twice, and blocks while it sends; it stays for
archives without DICOMweb (save the result as DICOM, import it, and send it from the module DICOM).
"""

from __future__ import annotations

from typing import Any

import qt
import slicer
from PCRPredictorLib.session.pacs.place import PacsPlace
from PCRPredictorLib.session.pacs.storing import StoreResult
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from ..dependencies import DICOMWEB, offer
from ..toolkit.path_field import follow, path_of, remember, used
from .result import offer_dicom


class StoreControls:
    """Stores the result.

    Args:
        ui: the widgets of Store.ui by name.
        session: with the result.
    """

    def __init__(self, ui: Any, session: Session) -> None:
        self._ui, self._session = ui, session
        self._place = PacsPlace(session.activity)
        self.store = StoreResult(session, self._place)
        self._is_asking = False
        remember(ui.pacsPath, "Pacs", fill=True)
        follow(ui.pacsPath, self._choose)
        ui.storeButton.connect("clicked(bool)", self._look)
        session.activity.on_change.append(self.update)
        self._choose()

    def update(self) -> None:
        """Say why nothing can be stored, or what lies where."""
        ui, reason = self._ui, self.store.reason
        ui.storeButton.enabled = not reason
        ui.storeLabel.text = reason or self.store.headline()
        ui.storeLabel.visible = bool(ui.storeLabel.text)
        if self._is_asking and not self._session.activity.doing:
            self._is_asking = False
            if self.store.can_send:
                qt.QTimer.singleShot(0, self._ask)  # after the others have been told

    def _choose(self, *_args: object) -> None:
        self._place.choose(path_of(self._ui.pacsPath))
        self.update()

    def _look(self, *_args: object) -> None:
        """Find out what would be sent, once the packages for it are there."""
        if not offer_dicom(self._session.activity) or not self._offer_client():
            return
        if path_of(self._ui.pacsPath) is not None:
            used(self._ui.pacsPath)
        self._is_asking = True
        self.store.look()

    def _offer_client(self) -> bool:
        try:
            return offer(DICOMWEB, _("A PACS needs one more Python package."))
        except RuntimeError as error:
            self._session.activity.report_problem(str(error))
            return False

    def _ask(self) -> None:
        """Show what would be sent where, and send it if the answer is yes."""
        text = "\n".join([*self.store.lines(), "", _("Send it now?")])
        if self.store.can_send and slicer.util.confirmOkCancelDisplay(text, _("Store result")):
            self.store.send()
