import pytest
from PCRPredictorLib.reading.delimited import read_lines


def read(content, key="patient_id"):
    said = []
    content = content.encode() if isinstance(content, str) else content
    lines = read_lines(content, lambda cells: key in [cell.lstrip("# ") for cell in cells], said.append)
    return [list(cells.values()) for cells in lines.cells.values()], said


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("patient_id;times\nA;[0,70,140]\n", ["A", "[0,70,140]"]),
        ("patient_id;a, b, c\nA;1\n", ["A", "1"]),
        ("patient_id;age\nA;45,5\n", ["A", "45,5"]),
        ("patient_id|age\nA|45\n", ["A", "45"]),
        ("sep=;\npatient_id;age\nA;45\n", ["A", "45"]),
        ("sep=\t\npatient_id\tage\nA\t45\n", ["A", "45"]),
        ('"sep=;"\r\npatient_id;age\r\nA;45\r\n', ["A", "45"]),
        ('patient_id,note\nA,"x, ""y"""\n', ["A", 'x, "y"']),
        ("Export, of today\n\npatient_id\tage\nA\t45\n", ["A", "45"]),
    ],
)
def test_separator_is_the_one_that_fits_every_line(text, row):
    assert read(text)[0][-1] == row


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", ",\n", ";;\r"])
def test_any_end_of_a_line_is_read(end):
    separator = ";" if ";" in end else ","
    text = end.join([f"patient_id{separator}age", f"A{separator}45", f"B{separator}46", ""])
    assert read(text)[0] == [["patient_id", "age"], ["A", "45"], ["B", "46"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_read_in_every_form(encoding):
    assert read("patient_id,age\nJosé,45\n".encode(encoding)) == ([["patient_id", "age"], ["José", "45"]], [])


def test_western_european_text_is_read_and_reported():
    rows, said = read("patient_id,age\nJosé,45\n".encode("cp1252"))
    assert rows[1] == ["José", "45"]
    assert "read as Windows-1252" in said[0]


def test_comments_are_left_aside_and_reported():
    rows, said = read("# made by hand\npatient_id,age\nA,45\n#B,46\nC,47\n")
    assert [row[0] for row in rows] == ["patient_id", "A", "C"]
    assert said == ["has comments, which are left aside: line 1, 4"]


def test_header_and_identifiers_that_start_as_comments_do_stay():
    rows, said = read("# patient_id,age\n#1,45\n#2,46\n")
    assert [row[0] for row in rows] == ["# patient_id", "#1", "#2"]
    assert not said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('patient_id,age\nA,"45\nB,46\n', "line 2: unexpected end of data; check its quotes"),
        (b"patient_id\0\0\0,", "not text"),
        (b"\xff\xfe\x00", "not text"),
    ],
)
def test_what_is_no_table_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        read(content)


def test_apostrophe_that_keeps_a_spreadsheet_from_computing_a_cell_is_taken_off():
    rows, _ = read("patient_id,note\n'-2a,'=1+1\n'tis,-1\n")
    assert rows[1:] == [["-2a", "=1+1"], ["'tis", "-1"]]
