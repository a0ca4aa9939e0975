import numpy as np
import pytest
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.shift.compare import compare_cohort, share
from PCRPredictorLib.shift.distribution import TrainingDistribution
from PCRPredictorLib.shift.facts import PatientFacts, summarise_training
from PCRPredictorLib.shift.wording import describe_shift, percent, shift_tables
from support.card_and_schema import SCHEMA

POINTS = (OperatingPoint("balanced", 0.5, 0.7, 0.6, share_above=0.42), OperatingPoint("high sensitivity", 0.2))
RNG = np.random.default_rng(0)


def patients(number=200, age=50.0, plane="axial", labels=True, probability=0.5, early=120.0):
    return [
        PatientFacts(
            {"age": float(RNG.normal(age, 10)), "early": early, "pixel_spacing": 0.7},
            {"plane": plane, "hr": "positive" if k % 2 else "negative"},
            k % 4 // 3 if labels else None,
            float(np.clip(RNG.normal(probability, 0.2), 0, 1)),
        )
        for k in range(number)
    ]


TRAINING = summarise_training(patients(), SCHEMA)


def variables(shift):
    return {variable["name"]: variable for variable in shift["variables"]}


def test_same_patients_have_no_difference():
    shift = compare_cohort(patients(), SCHEMA, TRAINING, POINTS)
    assert all(abs(each["difference"]["value"]) < 0.25 for each in shift["variables"])
    assert variables(shift)["age"]["outside"]["value"] < 0.06
    assert "none differs by 0.2 standard deviations (SD) or more, beyond chance," in " ".join(describe_shift(shift))


def test_standardised_difference_of_a_number_is_in_pooled_standard_deviations():
    age = variables(compare_cohort(patients(400, age=65), SCHEMA, TRAINING, POINTS))["age"]
    assert age["difference"]["value"] == pytest.approx(1.5, abs=0.25)
    assert age["difference"]["low"] < 1.5 < age["difference"]["high"]
    assert 0.1 < age["outside"]["value"] < 0.4


def test_largest_difference_comes_first_and_is_named():
    shift = compare_cohort(patients(plane="sagittal", age=60), SCHEMA, TRAINING, POINTS)
    assert [each["name"] for each in shift["variables"][:2]] == ["plane", "age"]
    assert shift["variables"][0]["outside"]["value"] == 1
    text = " ".join(describe_shift(shift))
    assert "plane of the slices (" in text and "100 % outside the training range" in text
    assert shift_tables(shift)[1].rows[0][2:4] == ["sagittal 100 %", "axial 100 %"]


def test_constant_that_differs_has_no_spread_but_is_outside():
    other = [PatientFacts({"pixel_spacing": 1.4}, {}, None, 0.5)] * 40
    (found,) = compare_cohort(other, SCHEMA, TRAINING, POINTS)["variables"]
    assert (found["difference"], found["outside"]["value"]) == (None, 1)
    shift = compare_cohort(other, SCHEMA, TRAINING, POINTS)
    assert "pixel spacing (100 % outside the training range)" in " ".join(describe_shift(shift))


def test_sentence_about_the_threshold():
    here = [PatientFacts(probability=p) for p in [0.6] * 61 + [0.4] * 39]
    sentence = describe_shift(compare_cohort(here, SCHEMA, TRAINING, POINTS))[0]
    assert sentence == (
        "At this cohort 61 % (51 to 70 %) are at or above the threshold of 'balanced'; 42 % of the training patients "
        "were."
    )


def test_promise_that_is_not_kept_is_named():
    here = [PatientFacts(label=1, probability=0.1)] * 40 + [PatientFacts(label=0, probability=0.4)] * 60
    shift = compare_cohort(here, SCHEMA, TRAINING, POINTS, 0.25)
    assert shift["points"][0]["sensitivity"]["value"] == 0
    text = " ".join(describe_shift(shift))
    assert "Of 100 labelled patients 40 % (31 to 50 %) had pCR; 25 % of the training patients had." in text
    assert "sensitivity 0 % (0 to 9 %), promised 70 %, which is outside the interval" in text


def test_one_class_has_one_rate():
    shift = compare_cohort([PatientFacts(label=0, probability=0.4)] * 5, SCHEMA, TRAINING, POINTS)
    assert shift["points"][0]["sensitivity"] is None
    text = " ".join(describe_shift(shift))
    assert "specificity 100 %" in text and "sensitivity" not in text


def test_without_labels_and_without_a_distribution_that_is_said():
    shift = compare_cohort(patients(12, labels=False), SCHEMA, TrainingDistribution(missing="Not recorded."), POINTS)
    text = " ".join(describe_shift(shift))
    assert "No label is known" in text and "12 patients are few" in text and text.endswith("Not recorded.")
    assert shift["points"][1]["above_training"] is None
    assert all(row[3] == "–" for row in shift_tables(shift)[1].rows)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_nobody_and_single_patients_can_be_compared(number):
    shift = compare_cohort(patients(number), SCHEMA, TRAINING, POINTS)
    assert shift["patients"] == number
    assert describe_shift(shift) and shift_tables(shift)


def test_share_has_wilsons_interval():
    assert share(0, 0) is None
    assert percent(share(19, 83)) == "23 % (15 to 33 %)"
    assert percent(None) == "–"


def test_share_above_in_training_follows_from_the_rates_of_an_older_bundle():
    points = [OperatingPoint("balanced", 0.5, 0.8, 0.6)]
    for base_rate, expected in ((0.25, 0.25 * 0.8 + 0.75 * 0.4), (None, None)):
        shift = compare_cohort(patients(40), SCHEMA, TRAINING, points, base_rate, "others")
        assert shift["points"][0]["above_training"] == (None if expected is None else pytest.approx(expected))
        assert ("of others were" in describe_shift(shift)[0]) == (base_rate is not None)


def numbers(values, name="pixel_spacing"):
    return [PatientFacts({name: float(value)}) for value in values]


@pytest.mark.parametrize(("here", "training"), [(0.7143, 0.71429), (0.714, 0.7135), (0.7, 0.7 + 1e-9)])
def test_values_that_read_the_same_do_not_differ(here, training):
    known = summarise_training(numbers(training + RNG.normal(0, 1e-7, 40)), SCHEMA)
    shift = compare_cohort(numbers([here] * 40), SCHEMA, known, POINTS)
    spacing = variables(shift)["pixel_spacing"]
    assert spacing["difference"]["value"] == 0 and spacing["outside"]["value"] == 0
    assert "none differs by 0.2 standard deviations (SD) or more, beyond chance," in " ".join(describe_shift(shift))


def test_a_difference_from_patients_without_a_spread_is_a_share():
    known = summarise_training(numbers(0.714 + RNG.normal(0, 1e-7, 40)), SCHEMA)
    shift = compare_cohort(numbers([0.85] * 40), SCHEMA, known, POINTS)
    assert "pixel spacing (100 % outside the training range)" in " ".join(describe_shift(shift))


def test_a_category_is_told_in_shares():
    shift = compare_cohort(patients(plane="sagittal"), SCHEMA, TRAINING, POINTS)
    text = " ".join(describe_shift(shift))
    assert "(axial 0 % here, 100 % in training" in text or "(sagittal 100 % here, 0 % in training" in text
    rows = {row[0]: row for row in shift_tables(shift)[1].rows}
    assert rows["plane of the slices"][4] in ("axial −100 points", "sagittal +100 points")
