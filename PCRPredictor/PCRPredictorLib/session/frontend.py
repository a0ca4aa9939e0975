"""What a session needs from the frontend around it: the exam as that frontend holds it, and a thread for long work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..exam import Dynamic, Exam, Geometry, Provenance
from ..prediction import Prediction
from ..report.maps import MapOverlay
from .history import TumourState
from .overlay import OverlaySettings


@dataclass(frozen=True)
class Fingerprint:
    """The state of an exam, to be compared without looking at a voxel.

    Args:
        identity: which volumes; a result is never shown beside different ones.
        voxels: state of the volumes.
        tumour: state of the segments; a stroke and its undo give a new state with the voxels of an earlier one.
    """

    identity: Hashable
    voxels: Hashable
    tumour: Hashable

    @staticmethod
    def of(parts: Sequence[Any]) -> Fingerprint:
        """Return the fingerprint of `mrml.exam.state_of`: a tuple per volume, then one of the segments.

        Args:
            parts: each begins with what identifies the volume or segmentation.
        """
        return Fingerprint(tuple(part[0] for part in parts[:-1]), tuple(parts[:-1]), parts[-1])


class Reading(NamedTuple):
    """An exam, its state when it was read, and a remark for the reader or ""."""

    exam: Exam
    state: Fingerprint
    remark: str = ""


class ExamScene(Protocol):
    """The exam as a frontend holds it, in MRML nodes for example. All methods are called on its own thread."""

    def problem(self) -> str | None:
        """Return why the exam cannot be predicted yet, a sentence with what to do, or None."""

    def provenance(self) -> Provenance | None:
        """Return where the exam comes from, None without one; reads no voxel."""

    def volumes_key(self) -> Hashable:
        """Return which volumes are chosen; a tumour that was grown in different ones is dropped."""

    def fingerprint(self) -> Fingerprint | None:
        """Return the exam's state, or None while volumes or segment are missing."""

    def read(self) -> Reading:
        """Return the exam as it is now; its clinical values are the session's. Raises DataError."""

    def open_exam(self, exam: Exam) -> None:
        """Open an exam that was read from files, in place of the one before."""

    def phases(self) -> tuple[Sequence[np.ndarray], Geometry]:
        """Return the voxels (k, j, i) of pre, early and late, not copied, and their geometry. Raises DataError."""

    def dynamic(self) -> Dynamic | None:
        """Return every phase of the acquisition, None if it has only pre, early and late; reads no voxel."""

    def tumour(self) -> TumourState:
        """Return the tumour; called after each stroke, so that it must not read every voxel. Raises DataError."""

    def set_tumour(self, state: TumourState) -> None:
        """Draw the tumour as it was in a state. Raises DataError."""

    def active_lesion(self) -> str:
        """Return the key of the lesion that clicks and strokes change; "" if there is none."""

    def choose_lesion(self, key: str) -> None:
        """Let clicks and strokes change the lesion of this key."""

    def jump_to(self, position: tuple[float, float, float]) -> None:
        """Centre the views on an LPS position in mm."""

    def show_candidate(self, name: str, mask: np.ndarray, position: tuple[float, float, float]) -> None:
        """Outline a place that may be the tumour, (k, j, i), and mark its LPS position in mm, by a name."""

    def hide_candidate(self) -> None:
        """Take that place out of the views."""

    def show_prediction(self, exam: Exam, prediction: Prediction, kind: str = "attention") -> None:
        """Show a map of a prediction over the exam, see `report.maps`."""

    def show_map(self, exam: Exam, overlay: MapOverlay) -> None:
        """Show a map that needs no prediction over the exam, in the place of a prediction's."""

    def hide_prediction(self) -> None:
        """Show no prediction and no map any more; what is kept stays."""

    def keep_result(self, text: str, title: str) -> None:
        """Keep a result with the chosen exam, if the frontend saves scenes; in place of an earlier one.

        Args:
            text: see `saved.result`.
            title: the probability in words.
        """

    def kept_result(self) -> str:
        """Return the result that is kept with the chosen exam, "" if none."""

    def drop_result(self) -> None:
        """Keep the result of the chosen exam no more."""

    def apply_overlay(self, settings: OverlaySettings, changed: Collection[str] = ()) -> None:
        """Apply the settings to the views: those that have changed, by their names, or all."""


class Worker(Protocol):
    """A thread that does one thing after the other."""

    def start(
        self, function: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """Run a function off the frontend's thread; then, on it, `done` with its result or `failed` with its error."""
