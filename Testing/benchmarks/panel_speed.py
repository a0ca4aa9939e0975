"""The panel on a full-size exam that is in the scene: prediction beside the stock way, and what a person waits for.

    make benchmark-panel

Prediction: nodes read, predicted and attention put back into the scene, model warm, against the stock MONAI way of
`predict_speed.py` without its loading, alternating in one run. Exam and views are forgotten before each prediction.
Waiting: from a choice of nodes to the button being enabled, and the longest time that the user interface stood still
from the click to the result, first prediction (which loads torch) and later ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

TESTING = Path(__file__).parents[1]
sys.path[:0] = [str(TESTING), str(TESTING / "Python"), str(TESTING / "benchmarks")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    os.environ["BREASTPCR_MODELS"] = tempfile.mkdtemp()

    from harness import session

    session.start()
    from PCRPredictorLib.phantom.patient import make_exam
    from support.panel_help import MODULE, choose

    panel = session.open_module(MODULE)
    exam = make_exam(seed=1)
    nodes = choose(panel, exam)
    chosen = [_time_choice(panel, nodes) for _ in range(runs)]
    first = _time_interface(panel, session)
    later = [_time_interface(panel, session) for _ in range(runs)]
    stock, ours = _compare(panel, runs)
    ratios = [a / b for a, b in zip(stock, ours, strict=True)]
    _say("stock MONAI, memory to map, s", stock)
    _say("panel, nodes to nodes, s", ours)
    _say("times faster", ratios)
    _say("choice of a node until Predict is enabled, s", chosen)
    print(f"longest standstill, first prediction, s: {first:.2f}")
    _say("longest standstill, later predictions, s", later)
    session.close_module(panel)


def _time_choice(panel, nodes) -> float:
    panel.ui.lateSelector.setCurrentNode(None)
    assert not panel.ui.predictButton.enabled
    start = time.perf_counter()
    panel.ui.lateSelector.setCurrentNode(nodes["late"])
    assert panel.ui.predictButton.enabled
    return time.perf_counter() - start


def _time_interface(panel, session) -> float:
    """Longest time between two turns of the event loop, from the click to the result; the click itself included."""
    panel.scene.exam.forget()
    start = time.perf_counter()
    panel.ui.predictButton.click()
    clicked = time.perf_counter() - start
    return max(clicked, session.wait(lambda: panel.session.result is not None and not panel.background.busy))


def _compare(panel, runs: int) -> tuple[list[float], list[float]]:
    from predict_speed import KEYS, build_stock, make_files

    load, finish = build_stock()
    with tempfile.TemporaryDirectory() as folder:
        files = dict(zip(KEYS, make_files(Path(folder)), strict=True))
        finish(load(dict(files)))
        stock, ours = [], []
        for _ in range(runs):
            loaded = load(dict(files))
            start = time.perf_counter()
            finish(loaded)
            stock.append(time.perf_counter() - start)
            ours.append(_time_prediction(panel))
    return stock, ours


def _time_prediction(panel) -> float:
    scene, session = panel.scene, panel.session
    scene.exam.forget()
    start = time.perf_counter()
    exam = scene.read().exam
    scene.show_prediction(exam, session.runner.predict(exam, session.model.bundle, "cpu"))
    return time.perf_counter() - start


def _say(what: str, values: list[float]) -> None:
    print(f"{what}: {statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})")


if __name__ == "__main__":
    main()
