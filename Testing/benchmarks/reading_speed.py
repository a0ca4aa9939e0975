"""How fast the reading station of the panel follows, in the harness, on a simulated exam of 448 x 448 x 120 voxels.

    .venv/bin/python Testing/benchmarks/reading_speed.py

Scrolling: the four hanging views, with MIP and curves, moved by a slice and their slices drawn. Curve: from a move of
the cursor until values, words and plot are new; the plot itself is drawn, too. Films: a phase shown and drawn.
Measuring: the lesion's curves and kinetic map on the worker, and the longest time for which the user interface stood
still meanwhile.

Scrolling is measured in three steps: what this extension does, with Slicer's slices computed too, and drawn too, which
a graphics card does elsewhere. Beside the time stands that of the processor, which does not depend on other programs.
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
    from PCRPredictorLib.exam import Dynamic
    from PCRPredictorLib.phantom.patient import make_exam
    from support.panel_help import MODULE

    panel, exam = session.open_module(MODULE), make_exam(seed=1)
    others = {1: exam.early, 3: exam.late, 4: exam.late}
    dynamic = Dynamic(lambda wanted: [others[k] for k in wanted], (0, 2, 5), 6, (0, 60, 120, 210, 300, 400))
    panel.session.open(lambda: replace(exam, dynamic=dynamic), "exam")
    still = session.wait(lambda: panel.session.reading.kinetics is not None and not panel.background.busy)
    print(f"longest standstill while the exam is opened and its lesion measured, s: {still:.2f}")
    _say("the four views, first time", [_time(lambda _: panel.reading.act("hang"), 0)])
    for what, act in _actions(panel, exam).items():
        act(0)
        _say(what, [_time(act, k) for k in range(runs)])
    panel.reading.station.stop_phases()
    panel.session.reading.measure_again()
    still = session.wait(lambda: not panel.session.reading.is_measuring)
    print(f"longest standstill while the lesion is measured, s: {still:.2f}")
    session.close_module(panel)


def _actions(panel, exam):
    """What is measured, by its name; each takes the number of the run."""
    import slicer
    from PCRPredictorLib.mrml.display import CURVE_VIEW

    controls, views = panel.reading, slicer.app.layoutManager().views
    point = [float(x) for x in exam.centre]

    def step(_k):
        controls.station.step_slices(1)

    def reslice(_k):
        controls.station.step_slices(1)
        for name in VIEWS:
            views[name].logic.UpdatePipeline()
            views[name].logic.GetImageDataConnection().GetProducer().Update()

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

    steps = {"scrolling, own part": step, "scrolling, with slices": reslice, "scrolling, drawn": scroll}
    return steps | {"curve": curve, "curve, drawn": plot, "phase": phase}


def _time(act, k) -> tuple[float, float]:
    """Seconds, and seconds of the processor."""
    start, busy = time.perf_counter(), time.process_time()
    act(k)
    return time.perf_counter() - start, time.process_time() - busy


def _say(what: str, times: list[tuple[float, float]]) -> None:
    found = []
    for seconds in zip(*times, strict=True):
        middle, low, high = (1000 * each for each in (statistics.median(seconds), min(seconds), max(seconds)))
        found.append(f"{middle:.1f} ms ({low:.1f} to {high:.1f}), {1000 / middle:.0f} per s")
    print(f"{what}: {found[0]}; processor {found[1]}", flush=True)


if __name__ == "__main__":
    main()
