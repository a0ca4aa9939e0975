import pandas as pd
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.mapping import CohortMapping
from PCRPredictorLib.reading.table import read_rows


def write(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_values_are_text_by_lower_case_patient(tmp_path):
    rows = read_rows(write(tmp_path, "Patient_ID,Age\n AA_1 ,050\n"))
    assert rows == {"aa_1": {"patient_id": "AA_1", "age": "050"}}


def test_semicolons_with_decimal_commas_tabs_and_byte_order_marks_are_understood(tmp_path):
    assert read_rows(write(tmp_path, "\ufeffpatient_id;age\nA;45,5\n"))["a"]["age"] == "45.5"
    assert read_rows(write(tmp_path, "patient_id\tnote\nA\tx, y\n"))["a"]["note"] == "x, y"


def test_empty_rows_at_the_end_are_passed_over(tmp_path):
    assert list(read_rows(write(tmp_path, "patient_id,age\nA,1\n,\n"))) == ["a"]


@pytest.mark.parametrize("sheet", ["dataset_info", "Sheet1"])
def test_excel_is_read_from_its_sheet_or_the_first(tmp_path, sheet):
    file = tmp_path / "t.xlsx"
    with pd.ExcelWriter(file) as writer:
        pd.DataFrame({"patient_id": ["A"], "age": [50]}).to_excel(writer, sheet_name=sheet, index=False)
        pd.DataFrame({"x": [1]}).to_excel(writer, sheet_name="notes", index=False)
    assert float(read_rows(file)["a"]["age"]) == 50
    with pytest.raises(DataError, match="must have a column patient_id"):
        read_rows(file, CohortMapping(sheet="notes"))


def test_columns_and_values_are_mapped(tmp_path):
    mapping = CohortMapping(
        columns={"patient_id": "Patient", "pcr": "Response"}, values={"pcr": {"Complete": "1", "partial": "0"}}
    )
    rows = read_rows(write(tmp_path, "patient,response\nA,complete\nB,Partial\nC,\n"), mapping)
    assert [row["pcr"] for row in rows.values()] == ["1", "0", ""]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("patient_id\na\nA\n", "a has more than one row; keep one"),
        ("name,age\na,1\n", "must have a column patient_id.*it has name, age"),
        ("patient_id,age\n,3\n", "row 2 has no patient_id"),
        ("", "cannot be read as a table"),
        (b"patient_id\n\xff\xfe\n", r"save it as CSV \(UTF-8\) again"),
    ],
)
def test_bad_table_is_refused_in_a_sentence(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_rows(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_damaged_workbook_and_missing_mapped_column_are_reported(tmp_path):
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_rows(write(tmp_path, "patient_id\n", "t.xlsx"))
    with pytest.raises(DataError, match=r"must have the column 'Response' that cohort.json names for pcr"):
        read_rows(write(tmp_path, "patient_id\na\n"), CohortMapping(columns={"pcr": "Response"}))
