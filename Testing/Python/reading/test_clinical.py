import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.clinical import clinical_pairs, read_clinical


def test_table_with_semicolons_and_decimal_commas_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("age;hr\n52,5;pos\n")
    assert read_clinical(tmp_path / "a.csv") == {"age": "52,5", "hr": "pos"}


def test_variable_that_is_given_twice_is_refused():
    with pytest.raises(DataError, match="'age' is given twice"):
        clinical_pairs(["age=52", "Age=40"])


def test_read_clinical_takes_json_and_one_row_tables(tmp_path):
    (tmp_path / "é a.json").write_text('{"clinical_data": {"age": 41}}', encoding="utf-8")
    (tmp_path / "b.csv").write_text("age,hr\n41,1\n")
    assert read_clinical(tmp_path / "é a.json") == {"age": 41}
    assert read_clinical(tmp_path / "b.csv") == {"age": "41", "hr": "1"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [("a.csv", "age\n1\n2\n", "one patient in one row"), ("a.json", "[1", "must be a JSON object or a CSV table")],
)
def test_unreadable_clinical_file_is_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_clinical(tmp_path / name)
    with pytest.raises(DataError, match="cannot be read"):
        read_clinical(tmp_path / "nowhere.csv")


def test_row_that_is_longer_than_the_header_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("age,hr\n41,1,2\n")
    with pytest.raises(DataError, match="must have at most the 2 values of the header, got 3"):
        read_clinical(tmp_path / "a.csv")
