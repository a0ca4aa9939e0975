"""The kinetics of a lesion in numbers and words, and in the files of a prediction."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.curves.summary import measure_kinetics
from PCRPredictorLib.exam import Dynamic
from PCRPredictorLib.outputs import write_prediction
from support.examples import tiny_exam, tiny_prediction


def four_phases():
    exam = tiny_exam()
    read = lambda wanted: [exam.early for _ in wanted]  # noqa: E731
    return replace(exam, dynamic=Dynamic(read, (0, 1, 3), 4, (0, 120, 260, 400)))


def test_curve_and_shares_are_those_of_the_voxels():
    found = measure_kinetics(four_phases())
    assert found.lesion.signal == pytest.approx((200, 500, 500, 450), abs=2)
    assert found.hot_spot.voxels == 9
    assert set(found.describe()) == {"Curve of the lesion", "Most enhancing 3 × 3 voxels", "Curve types"}
    assert "type III (washout)" in found.describe()["Curve of the lesion"]


def test_without_a_tumour_there_are_none():
    exam = tiny_exam()
    assert measure_kinetics(replace(exam, mask=None)) is None
    assert measure_kinetics(replace(exam, mask=np.zeros_like(exam.mask))) is None


def test_a_prediction_is_written_with_curve_and_numbers(tmp_path):
    exam = four_phases()
    write_prediction(exam, tiny_prediction(exam), tmp_path / "out", scene=False)
    found = json.loads((tmp_path / "out" / "prediction.json").read_text())["kinetics"]
    assert found["seconds"] == [0, 120, 260, 400]
    assert (found["since"], found["pre_early_late"]) == ("pre-contrast phase", [0, 1, 3])
    assert found["lesion"]["curve_type"] == "washout"
    assert found["lesion"]["wash_in_per_minute_is_lower_bound"]
    assert sum(found["curve_types"].values()) == pytest.approx(1, abs=0.001)
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Time-intensity curve" in report
    assert "data:image/svg+xml;base64," in report
    assert "time of the injection unknown" in report
