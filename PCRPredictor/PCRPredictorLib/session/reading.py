"""The reading room: curves at the cursor and of the lesion, and the kinetic map. No model is involved."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..curves.chart import Line, draw_chart, line_of
from ..curves.curve import Curve, curve_around
from ..curves.phases import Phases, join_phases
from ..curves.summary import CURSOR_COLOUR, HOT_SPOT_COLOUR, LESION_COLOUR, LesionKinetics, kinetics_in
from ..curves.words import describe_curve
from ..errors import TOO_LARGE, DataError
from ..exam import PHASE_NAMES, Exam, Geometry, bounding_box
from ..formatting import format_value
from ..report.maps import KINETIC, kinetic_overlay
from .activity import Activity
from .frontend import ExamScene, Worker

NEIGHBOURS = 1  # voxels to each side of the cursor in its slice: 3 x 3
_SIDES = (("L", "R"), ("P", "A"), ("S", "I"))  # of the patient: where each LPS axis leads to, and where it comes from
Position = tuple[float, float, float]


@dataclass(frozen=True)
class ReadingWords:
    """What the reader sees beside the views; each is "" if there is nothing.

    `kinetics` has a line for the lesion, its most enhancing part, and the share of each type.
    """

    cursor: str = ""
    curve: str = ""
    kinetics: tuple[str, ...] = ()
    stale: str = ""
    notices: str = ""


class ReadingRoom:
    """Curves and kinetic map of the exam on the table.

    Args:
        scene: with the exam.
        activity: whose listeners are called, and which translates.
        worker: where the lesion is measured.
        show: called when a map is measured that waits to be shown.

    Attributes:
        kinetics: of the lesion as it was measured last, None if it never was.
        position: LPS mm of the cursor, None if it is outside the views.
        is_measuring: True while the lesion is measured.
    """

    def __init__(self, scene: ExamScene, activity: Activity, worker: Worker, show: Callable[[], object]) -> None:
        self._scene, self._activity, self._worker, self._show = scene, activity, worker, show
        self._held: tuple[Hashable, Phases, Geometry] | None = None
        self._measured: Hashable = None  # volumes
        self._drawn: Hashable = None  # tumour that was measured
        self._job = 0
        self._exam: Exam | None = None
        self._kinetics: LesionKinetics | None = None
        self.is_measuring = self._is_shown = False
        self.position: Position | None = None

    @property
    def kinetics(self) -> LesionKinetics | None:
        """The kinetics of the lesion that was measured last, None if there is none or a different exam is open."""
        return self._kinetics if self._measured == self._scene.volumes_key() else None

    @property
    def phases(self) -> Phases | None:
        """All phases of the open exam, None without one; their voxels are not copied."""
        return self._hold()[1] if self._hold() is not None else None  # type: ignore[index]

    def measure(self, exam: Exam) -> None:
        """Measure the tumour of the open exam on the worker, and tell the listeners; nothing without a tumour."""
        self._job += 1
        now = self._scene.fingerprint()
        self._measured, self._kinetics, self._exam = self._scene.volumes_key(), None, exam
        self._drawn = now.tumour if now is not None else None
        self.is_measuring = exam.has_tumour and self.phases is not None
        if self.is_measuring and (phases := self.phases) is not None:
            done = partial(self._on_measured, self._job)
            self._worker.start(partial(_measure, phases, exam), done, partial(self._on_failed, self._job))

    def measure_again(self) -> None:
        """Measure the tumour as it is drawn now; report what prevents it."""
        if (reading := self._activity.attempt(self._scene.read)) is not None:
            self.measure(reading.exam)

    def show(self, kind: str) -> bool:
        """Show a kinetic map as soon as it is measured; return False if `kind` is a different map."""
        self._is_shown = kind in KINETIC
        if not self._is_shown:
            return False
        if (kinetics := self.kinetics) is not None and self._exam is not None:
            self._scene.show_map(self._exam, kinetic_overlay(kind, kinetics.map, self._activity.translate))
        elif not self.is_measuring:
            self.measure_again()
        return True

    def move_to(self, position: Position | None) -> None:
        """Take the position of the cursor, LPS mm; None outside the views."""
        self.position = position

    @property
    def curve(self) -> Curve | None:
        """The curve of the 3 x 3 voxels at the cursor, None outside the exam."""
        return self._curve_at(NEIGHBOURS)

    @property
    def words(self) -> ReadingWords:
        """Everything in sentences."""
        _, phases, curve, kinetics = self._activity.translate, self.phases, self.curve, self.kinetics
        notices = phases.notices if phases is not None else ()
        return ReadingWords(
            self.describe_cursor(),
            describe_curve(curve, _) if curve is not None else "",
            tuple(f"{name}: {text}" for name, text in kinetics.describe(_).items()) if kinetics is not None else (),
            self._describe_stale(),
            " ".join(notice.message for notice in notices),
        )

    def describe_cursor(self) -> str:
        """Return position and voxel values at the cursor, as in "L 45.2 P 12.3 S 33.1 mm: pre 120, early 340"."""
        if self.position is None or (here := self._curve_at(0)) is None:
            return ""
        _ = self._activity.translate
        names = {"pre": _("pre"), "early": _("early"), "late": _("late")}
        picked = zip(PHASE_NAMES, here.picked, strict=True)
        values = ", ".join(f"{names[name]} {_value(here.signal[k])}" for name, k in picked)
        return f"{describe_position(self.position)}: {values}"

    def describe_curve(self) -> str:
        """Return what is read from the curve at the cursor, "" outside the exam."""
        curve = self.curve
        return describe_curve(curve, self._activity.translate) if curve is not None else ""

    def lines(self) -> list[Line]:
        """Return the curves to be drawn: of the lesion, of its most enhancing part, and at the cursor."""
        _, kinetics = self._activity.translate, self.kinetics
        curves: list[tuple[Curve | None, str, str]] = [(self.curve, _("Cursor"), CURSOR_COLOUR)]
        if kinetics is not None:
            lesion, hot_spot = (kinetics.lesion, kinetics.hot_spot)
            curves = [(lesion, _("Lesion"), LESION_COLOUR), (hot_spot, _("Most enhancing"), HOT_SPOT_COLOUR), *curves]
        drawn = [line_of(curve, label, colour) for curve, label, colour in curves if curve is not None]
        return [line for line in drawn if line is not None]

    def chart(self) -> str:
        """Return the curves as SVG, "" without an exam."""
        phases = self.phases
        return draw_chart(phases, self.lines(), self._activity.translate) if phases is not None else ""

    def _hold(self) -> tuple[Hashable, Phases, Geometry] | None:
        """Return all phases and their geometry, joined anew for each exam."""
        if (provenance := self._scene.provenance()) is None:
            return None
        key = self._scene.volumes_key()
        if self._held is None or self._held[0] != key:
            try:
                arrays, geometry = self._scene.phases()
            except DataError:
                self._held = None
                return None
            self._held = key, join_phases(arrays, provenance, self._scene.dynamic()), geometry
        return self._held

    def _curve_at(self, radius: int) -> Curve | None:
        if self.position is None or (held := self._hold()) is None:
            return None
        _, phases, geometry = held
        index = np.rint(geometry.to_index(np.array(self.position))).astype(int)
        plane = int(np.argmax(geometry.spacing[::-1]))
        return curve_around(phases, tuple(index[::-1].tolist()), radius, plane)

    def _describe_stale(self) -> str:
        now = self._scene.fingerprint() if self.kinetics is not None else None
        if now is None or now.tumour == self._drawn:
            return ""
        _ = self._activity.translate
        return _("The lesion has changed since its curve was measured; measure it again.")

    def _on_measured(self, job: int, found: LesionKinetics | None) -> None:
        if job == self._job:
            self._kinetics, self.is_measuring = found, False
            if found is not None and self._is_shown:
                self._show()
            self._activity.emit()

    def _on_failed(self, job: int, error: Exception) -> None:
        if job == self._job:
            self.is_measuring = False
            self._activity.report_problem(TOO_LARGE if isinstance(error, MemoryError) else str(error))


def describe_position(position: Position) -> str:
    """Return an LPS position in mm with the patient's sides, as in "L 45.2 P 12.3 S 33.1 mm"."""
    parts = [f"{_SIDES[axis][int(value < 0)]} {abs(value):.1f}" for axis, value in enumerate(position)]
    return f"{' '.join(parts)} mm"


def _measure(phases: Phases, exam: Exam) -> LesionKinetics | None:
    mask = np.asarray(exam.mask) != 0
    box = bounding_box(mask)
    return kinetics_in(phases.take(box), exam, mask, box)


def _value(signal: float) -> str:
    return format_value(signal, 0 if abs(signal) >= 10 else 2)
