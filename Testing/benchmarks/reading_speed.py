"""How fast the reading station of the panel follows, in the harness, on a simulated exam of 448 x 448 x 120 voxels.

    .venv/bin/python Testing/benchmarks/reading_speed.py

Scrolling: the four hanging views, with MIP and curves, moved by a slice and their slices drawn. Curve: from a move of
the cursor until values, words and plot are new; the plot itself is drawn, too. Films: a phase shown and drawn.
Measuring: the lesion's curves and kinetic map on the worker, and the longest time for which the user interface stood
still meanwhile.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

TESTING = Path(__file__).parents[1]
sys.path[:0] = [str(TESTING), str(TESTING / "Python")]
VIEWS = ("Pre", "Early", "Subtraction")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    runs = parser.parse_args().runs
    os.environ["BREASTPCR_MODELS"] = tempfile.mkdtemp()

    from harness import session

    session.start()
    import slicer
    from PCRPredictorLib.exam import Dynamic
    from PCRPredictorLib.mrml.display import CURVE_VIEW
    from PCRPredictorLib.phantom.patient import make_exam
    from support.panel_help import MODULE

    panel, exam = session.open_module(MODULE), make_exam(seed=1)
    others = {1: exam.early, 3: exam.late, 4: exam.late}
    dynamic = Dynamic(lambda wanted: [others[k] for k in wanted], (0, 2, 5), 6, (0, 60, 120, 210, 300, 400))
    panel.session.open(lambda: replace(exam, dynamic=dynamic), "exam")
    still = session.wait(lambda: panel.session.reading.kinetics is not None and not panel.background.busy)
    print(f"longest standstill while the exam is opened and its lesion measured, s: {still:.2f}")
    start = time.perf_counter()
    panel.reading.act("hang")
    print(f"the four views, first time, s: {time.perf_counter() - start:.2f}")
    controls, views = panel.reading, slicer.app.layoutManager().views
    point = [float(x) for x in exam.centre]

    def scroll(_k):
        controls.station.step_slices(1)
        for name in VIEWS:
            views[name].pixels()

    def curve(k):
        panel.session.reading.move_to((point[0] + k % 9, point[1], point[2]))
        controls._show_cursor()

    def plot(k):
        curve(k)
        views[CURVE_VIEW].pixels()

    def phase(_k):
        controls.station.step_phases(1)
        for name in VIEWS:
            views[name].pixels()

    for what, act in (("scrolling", scroll), ("curve", curve), ("curve, drawn", plot), ("phase", phase)):
        act(0)
        _say(what, [_time(act, k) for k in range(runs)])
    controls.station.stop_phases()
    panel.session.reading.measure_again()
    still = session.wait(lambda: not panel.session.reading.is_measuring)
    print(f"longest standstill while the lesion is measured, s: {still:.2f}")
    session.close_module(panel)


def _time(act, k) -> float:
    start = time.perf_counter()
    act(k)
    return time.perf_counter() - start


def _say(what: str, seconds: list[float]) -> None:
    middle, low, high = (1000 * each for each in (statistics.median(seconds), min(seconds), max(seconds)))
    print(f"{what}: {middle:.1f} ms ({low:.1f} to {high:.1f}), {1000 / middle:.0f} per s")


if __name__ == "__main__":
    main()
