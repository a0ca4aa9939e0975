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


def test_semicolons_tabs_and_byte_order_marks_are_understood(tmp_path):
    assert read_rows(write(tmp_path, "\ufeffpatient_id;age\nA;45,5\n"))["a"]["age"] == "45,5"
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
        ("name,age\na,1\n", "must have a column patient_id.*it has name, age"),
        ("patient_id,age\n,3\n", "line 2 has no patient_id"),
        ("", "cannot be read as a table"),
        (b"patient_id\n\x81\xfe\n", r"save it as .xlsx or as CSV \(UTF-8\) again"),
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


def test_columns_that_differ_only_in_case_are_refused_unless_one_is_named(tmp_path):
    file = write(tmp_path, "patient_id,pcr,pCR\nA,1,0\n")
    with pytest.raises(DataError, match="the columns 'pcr' and 'pCR' have names that differ only in case; rename or"):
        read_rows(file)
    assert read_rows(file, CohortMapping(columns={"pcr": "pCR"}))["a"]["pcr"] == "0"


@pytest.mark.parametrize(
    ("header", "message"),
    [("patient_id,Patient_ID,x", "'patient_id' and 'Patient_ID'"), ("patient_id,age, age ", "the same name")],
)
def test_columns_of_one_name_are_refused(tmp_path, header, message):
    with pytest.raises(DataError, match=message):
        read_rows(write(tmp_path, f"{header}\nA,A,A\n"))


def test_column_is_named_with_any_blanks_in_it(tmp_path):
    file = write(tmp_path, 'patient_id,"Age\n at  MRI "\nA,51\n')
    assert read_rows(file, CohortMapping(columns={"age": "Age at MRI"}))["a"]["age"] == "51"


def test_nothing_is_converted(tmp_path):
    (row,) = read_rows(write(tmp_path, "patient_id,date,code\nNA,1-2,007\n")).values()
    assert row == {"patient_id": "NA", "date": "1-2", "code": "007"}


def test_letters_composed_in_two_ways_are_the_same_patient(tmp_path):
    assert "müller" in read_rows(write(tmp_path, "patient_id\nMu\u0308ller\n"))


def test_equal_rows_of_one_patient_count_once_and_are_reported(tmp_path):
    said = []
    assert len(read_rows(write(tmp_path, "patient_id,age\na,1\nA,1\n"), report=said.append)) == 1
    assert said == ["t.csv has rows twice, of which one is used: line 3"]


def test_two_different_rows_of_a_patient_cost_this_patient_both(tmp_path):
    said = []
    rows = read_rows(write(tmp_path, "patient_id,age\na,1\nb,2\nA,3\n"), report=said.append)
    assert (list(rows), list(rows.doubts)) == (["b"], ["a"])
    assert said == ["a has more than one row, lines 2 and 4 of t.csv; keep one row per patient"]


@pytest.mark.parametrize("text", ["1.23E+15", "1,2E+11", "=A2&B2", "#REF!", "#N/A", ""])
def test_row_without_an_identifier_is_left_out_and_reported(tmp_path, text):
    said = []
    assert list(read_rows(write(tmp_path, f"patient_id;age\n{text};3\nB;4\n"), report=said.append)) == ["b"]
    assert len(said) == 1
    assert "line 2" in said[0] and "left " in said[0]


def test_table_whose_identifiers_are_all_spoilt_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"2 lines .* have an identifier that a spreadsheet made.*format the column"):
        read_rows(write(tmp_path, "patient_id;age\n1.23E+15;3\n1.24E+15;3\n"))


def test_mapped_values_must_be_of_a_column_and_match_any_way_of_writing_a_number(tmp_path):
    file = write(tmp_path, "patient_id,rcb\nA,1.0\n")
    values = {"rcb": {"1": "0"}}
    assert read_rows(file, CohortMapping(values=values))["a"]["rcb"] == "0"
    with pytest.raises(DataError, match=r"must have the column 'rbc' whose values cohort.json maps"):
        read_rows(file, CohortMapping(values={"rbc": {"1": "0"}}))
