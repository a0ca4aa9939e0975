import json

import numpy as np
import pytest
from PCRPredictorLib.shift.distribution import (
    OTHERS,
    Distribution,
    TrainingDistribution,
    summarise_categories,
    summarise_numbers,
)


def test_percentiles_mean_and_spread_of_numbers():
    found = summarise_numbers("age", "Age", "years", np.r_[np.arange(101), np.nan])
    assert (found.patients, found.mean) == (101, 50)
    assert found.percentiles == {"1": 1, "5": 5, "25": 25, "50": 50, "75": 75, "95": 95, "99": 99}
    assert found.sd == pytest.approx(np.arange(101).std(ddof=1))


@pytest.mark.parametrize("patients", [0, 1, 9])
def test_few_patients_leave_their_number_only(patients):
    found = summarise_numbers("age", "Age", "years", np.full(patients, 52.0))
    assert found == Distribution("age", "Age", "years", patients)
    assert summarise_categories("hr", "HR", ["positive"] * patients) == Distribution("hr", "HR", patients=patients)


def test_rare_values_are_counted_together():
    found = summarise_categories("manufacturer", "", ["GE"] * 7 + ["ONE"] + ["TWO"] * 2 + [""], shared=3)
    assert found.shares == {"GE": 0.7, OTHERS: pytest.approx(0.3)}
    assert found.patients == 10


def test_round_trip_through_json():
    variables = (summarise_numbers("age", "Age", "years", np.arange(30.0)), summarise_categories("a", "A", ["x"] * 20))
    known = TrainingDistribution(30, 12, variables, "nothing")
    assert TrainingDistribution.from_json(json.loads(json.dumps(known.to_json()))) == known
    assert known.find("age") is variables[0] and known.find("none") is None


@pytest.mark.parametrize("content", [{}, {"format": 2, "variables": []}, {"format": 1, "variables": [], "more": 1}])
def test_other_content_is_refused(content):
    with pytest.raises((TypeError, ValueError)):
        TrainingDistribution.from_json(content)
