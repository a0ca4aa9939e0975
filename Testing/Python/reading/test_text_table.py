import openpyxl
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.text_table import read_text_table


def write(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def save(tmp_path, sheets, edit=None):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    if edit:
        edit(book)
    book.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


PATIENTS = [("patient_id", "pcr"), ("A", 1), ("B", 0)]


def read(file, **options):
    said = []
    table = read_text_table(file, key="patient_id", report=said.append, **options)
    return table.columns, [values for _, values in table.rows], said


@pytest.mark.parametrize("text", ["patient_id,pcr\nA,1,\nB,0,\n", "patient_id;pcr;\nA;1;;\n;;;\nB;0\n"])
def test_lines_that_end_in_a_separator_are_read(tmp_path, text):
    assert read(write(tmp_path, text)) == (("patient_id", "pcr"), [("A", "1"), ("B", "0")], [])


def test_line_longer_than_the_header_is_refused(tmp_path):
    with pytest.raises(DataError, match="line 3 must have at most the 2 values of the header, got 3; add the missing"):
        read(write(tmp_path, "patient_id,pcr\nA,1\nB,0,5\n"))


def test_numbers_of_rows_without_a_heading_are_left_aside_and_reported(tmp_path):
    columns, rows, said = read(write(tmp_path, ",patient_id,pcr\n0,A,1\n"))
    assert (columns, rows) == (("patient_id", "pcr"), [("A", "1")])
    assert said == ["t.csv has values without a heading, which are left aside: column A"]


def test_lines_above_the_header_are_left_aside_and_reported(tmp_path):
    columns, _, said = read(write(tmp_path, "Table 1\n\npatient_id,pcr\nA,1\n"))
    assert columns == ("patient_id", "pcr")
    assert said == ["t.csv has 1 line above its headings in line 3; left aside"]


def test_sheet_with_the_patients_is_found(tmp_path):
    sheets = {"notes": [("x",)], "MRI": PATIENTS}
    assert read(save(tmp_path, sheets))[1:] == (
        [("A", "1"), ("B", "0")],
        ["t.xlsx was read from its sheet MRI; left aside: notes"],
    )


def test_two_sheets_with_patients_are_refused_until_one_is_named(tmp_path):
    file = save(tmp_path, {"2019": PATIENTS, "2020": PATIENTS})
    with pytest.raises(DataError, match=r'several sheets \(2019, 2020\); name the one to read .* "sheet": "2019"'):
        read(file)
    assert len(read(file, sheet="2020")[1]) == 2
    with pytest.raises(DataError, match="must have the sheet '2021', it has 2019, 2020"):
        read(file, sheet="2021")


def test_hidden_sheets_are_not_read_and_empty_ones_do_not_count(tmp_path):
    def hide(book):
        book["old"].sheet_state = "hidden"

    assert read(save(tmp_path, {"old": PATIENTS, "Sheet2": [], "new": PATIENTS}, hide))[2] == []


def test_stray_cell_far_away_is_left_aside(tmp_path):
    def stray(book):
        book["S"].cell(1048576, 16384, "x")

    _, rows, said = read(save(tmp_path, {"S": PATIENTS}, stray))
    assert len(rows) == 2
    assert said == ["t.xlsx has values without a heading, which are left aside: column XFD"]


def test_hidden_rows_are_read_and_reported(tmp_path):
    def hide(book):
        book["S"].row_dimensions[2].hidden = True

    assert read(save(tmp_path, {"S": PATIENTS}, hide))[1:] == (
        [("A", "1"), ("B", "0")],
        ["t.xlsx has 1 hidden line, read as any other: line 2"],
    )


@pytest.mark.parametrize("cells", ["B2:B3", "A1:B1"])
def test_merged_cells_are_refused(tmp_path, cells):
    with pytest.raises(DataError, match=r"cells are merged in the column .* unmerge them and fill in each"):
        read(save(tmp_path, {"S": PATIENTS}, lambda book: book["S"].merge_cells(cells)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"an old Excel file \(.xls\) or has a password\); save it as .xlsx"),
        (b"<html><table>", "a web page or a program's file, not a table"),
        (b"", r"cannot be read as a table \(it is empty\)"),
        (b"PK\x03\x04", "damaged"),
        (b"\x00\x01\x02\x00", "not text"),
    ],
)
def test_what_is_not_a_table_is_refused_with_what_to_do(tmp_path, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_content_decides_and_not_the_name(tmp_path):
    save(tmp_path, {"S": PATIENTS}).rename(tmp_path / "t.csv")
    assert read(tmp_path / "t.csv")[0] == ("patient_id", "pcr")


def test_missing_file_is_reported(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read .* check the path of the table"):
        read(tmp_path / "none.csv")
