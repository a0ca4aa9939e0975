import json

import numpy as np
import pytest
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number, find_doubtful_cells
from PCRPredictorLib.errors import DataError

SCHEMA = ClinicalSchema(
    (
        Number("age", "Age", "years", 18, 100, 50, 10),
        Category("hr", "Hormone receptors", {"negative": ["0", "neg"], "positive": ["1", "pos"]}),
        Category("menopause", "Menopause", {"pre": ["peri"], "post": []}),
    )
)


@pytest.mark.parametrize(
    ("written", "value"),
    [("1.0", "positive"), (1, "positive"), ("POS", "positive"), ("Negative", "negative"), ("nan", None), ("", None)],
)
def test_a_coding_is_read_however_it_is_written(written, value):
    assert SCHEMA.parse({"HR": written})["hr"] == value


def test_leading_word_of_free_text_is_enough():
    text = "post (prior bilateral ovariectomy, pre-menopausal before)"
    assert SCHEMA.parse({"menopause": text})["menopause"] == "post"
    assert SCHEMA.parse({"menopause": "peri (6-12 months since LMP)"})["menopause"] == "pre"


@pytest.mark.parametrize(
    "written",
    ["no data", "not positive", "no result (positive before)", "pos/neg", "nicht pos", "pas positive", "2+", "ja nein"],
)
def test_words_that_deny_or_contradict_are_not_taken_for_the_value(written):
    with pytest.raises(DataError, match="hr must be"):
        SCHEMA.parse({"hr": written})


@pytest.mark.parametrize(("written", "value"), [("45,5", 45.5), ("45.50", 45.5), ("+45", 45), ("4,5e1", 45)])
def test_numbers_are_read_with_a_decimal_comma_too(written, value):
    assert SCHEMA.parse({"age": written})["age"] == value


@pytest.mark.parametrize("written", ["4_5", "45,500", "45 years", "=B2+1", "#REF!", "inf", "4,5,0", "-", "1.2.1970"])
def test_what_is_no_number_or_may_be_two_is_refused(written):
    with pytest.raises(DataError, match="age must be a number from 18 to 100 years, or unknown, got"):
        SCHEMA.parse({"age": written})


def test_capital_letters_of_a_name_do_not_matter():
    schema = ClinicalSchema((Number("Ki67", "Ki-67", "%", 0, 100, 30, 20),))
    assert schema.parse({"KI67": "20"}, strict=True) == {"Ki67": 20}


def test_missing_variables_are_zeros_and_known_ones_are_not():
    np.testing.assert_allclose(SCHEMA.encode(SCHEMA.parse({"age": 60, "hr": "pos"})), [1, 1, 0, 1, 0, 0])
    np.testing.assert_allclose(SCHEMA.encode(SCHEMA.parse({})), np.zeros(SCHEMA.width))


def test_average_age_differs_from_an_unknown_age():
    assert (SCHEMA.encode({"age": 50}) != SCHEMA.encode({"age": None})).any()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"age": "old"}, "age must be a number from 18 to 100 years, or unknown, got 'old'"),
        ({"age": 170}, "got '170'"),
        ({"hr": "maybe"}, "hr must be negative, positive, or unknown, got 'maybe'"),
    ],
)
def test_value_outside_the_schema_is_refused_with_the_allowed_ones(given, message):
    with pytest.raises(DataError, match=message):
        SCHEMA.parse(given)


def test_a_value_that_cannot_be_read_costs_itself_alone():
    values, problems = SCHEMA.parse_each({"age": "abc", "hr": "pos"})
    assert values == {"age": None, "hr": "positive", "menopause": None}
    assert len(problems) == 1
    assert problems[0].startswith("age must be")


def test_optional_value_of_a_table_that_cannot_be_read_is_unknown_and_found():
    schema = ClinicalSchema(
        (Category("drug", "Drug", {"a": []}, optional=True), Number("age", "Age", "", 0, 99, 50, 9))
    )
    assert schema.parse({"drug": "b", "age": 40}) == {"drug": None, "age": 40.0}
    assert schema.find_unreadable({"drug": "b"}) == {"drug": "drug must be a, or unknown, got 'b'"}
    with pytest.raises(DataError, match="drug must be a"):
        schema.parse({"drug": "b"}, strict=True)


def test_unknown_name_is_refused_when_typed_and_ignored_in_a_table():
    assert SCHEMA.parse({"site": "A"})["age"] is None
    with pytest.raises(DataError, match=r"'site' is not known to this model; use age, hr, menopause"):
        SCHEMA.parse({"site": "A"}, strict=True)


def test_schema_survives_json():
    again = ClinicalSchema.from_json(json.loads(json.dumps(SCHEMA.to_json())))
    assert again.parse({"age": 40, "hr": 0}) == SCHEMA.parse({"age": 40, "hr": 0})


@pytest.mark.parametrize(
    ("written", "value"), [("Negatif", "negative"), ("阳性", "positive"), ("–", "negative"), ("n. a.", None)]
)
def test_signs_are_read_in_any_language(written, value):
    assert SCHEMA.parse({"hr": written})["hr"] == value


def test_cells_that_others_of_their_column_put_in_doubt_are_found():
    rows = [{"hr": text} for text in ("1", "2.0", "pos", "", "02")]
    assert set(SCHEMA.find_doubts(rows)) == {0, 1, 4}
    assert SCHEMA.find_doubts(rows)[0].startswith("hr must be coded with 0 and 1, but this column has 2, too")
    assert set(SCHEMA.find_doubts([{"hr": text} for text in ("0", "-", "1")])) == {1}
    assert SCHEMA.find_doubts([{"hr": text} for text in ("+", "-", "0")]) == {}


VOLUME = Number("volume", "Log volume", "log ml", -3, 7, 2, 1, measured=True, low=0, high=5, columns={"Volume_ml": 1.0})
MEASURED = ClinicalSchema((Number("age", "Age", "years", 18, 100, 50, 10, low=30, high=70), VOLUME))


def test_measured_variable_is_read_from_a_table_for_patients_without_images():
    assert MEASURED.parse_row({"age": "40", "volume_ML": "1"}) == {"age": 40, "volume": 0}
    assert MEASURED.parse_row({"Volume": "1.5", "volume_ml": "100"})["volume"] == 1.5  # its own column comes first
    assert MEASURED.parse_row({"age": "40", "volume_ml": "NA"}) == {"age": 40}
    with pytest.raises(DataError, match=r"Volume_ml must be a number from 0.0498 to 1097, or empty, got '0'"):
        MEASURED.parse_row({"volume_ml": "0"})


def test_measured_variable_is_never_taken_from_the_form():
    assert MEASURED.parse({"volume_ml": "100", "age": "40"}) == {"age": 40}
    assert MEASURED.table_columns == ["age", "volume", "volume_ml"]


def test_values_that_are_clipped_are_found_typed_and_measured():
    found = MEASURED.find_clipped({"age": 80.0}, {"volume": 9.0})
    assert [(each.variable.name, each.value, each.used) for each in found] == [("age", 80, 70), ("volume", 9, 5)]
    assert MEASURED.find_clipped({"age": None}, {"volume": 5.0}) == []


def test_measured_value_that_an_older_model_cannot_read_is_found():
    old = ClinicalSchema((Number("volume", "Log volume", "log ml", -3, 7, 2, 1, measured=True),))
    assert [each.used for each in old.find_clipped({}, {"volume": 7.5})] == [7]
    assert old.find_clipped({}, {"volume": 6.5}) == []


def test_schema_of_an_older_bundle_is_read():
    item = {"name": "age", "label": "Age", "unit": "years", "minimum": 18, "maximum": 100, "mean": 50, "sd": 10}
    (number,) = ClinicalSchema.from_json([item]).variables
    assert (number.low, number.high, number.encode(95)) == (None, None, [4.5, 1.0])


def test_numbers_of_thousands_of_digits_are_another_coding():
    reasons = find_doubtful_cells(["0", "9" * 5000, "", "2"])
    assert sorted(reasons) == [0, 1, 3]
    assert len(reasons[0]) < 300
