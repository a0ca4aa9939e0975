import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from PCRPredictorLib.reading.workbook import Workbook


def save(tmp_path, *rows, change=None, edit=None):
    """Write rows into a workbook; `edit` changes the sheet, `change` replaces text in parts of the file."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if edit:
        edit(book.active)
    file = tmp_path / "t.xlsx"
    book.save(file)
    if change:
        with zipfile.ZipFile(file) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        for part, (old, new) in change.items():
            assert old in parts.get(part, b"")
            parts[part] = parts.get(part, b"").replace(old, new, 1)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
    return file


def read(file):
    with Workbook(file) as book:
        return book.read(next(iter(book.sheets())))


def values(file):
    return [list(cells.values()) for cells in read(file).cells.values()]


def test_values_are_written_as_people_write_them(tmp_path):
    file = save(tmp_path, (1, 1.5, 0.1, True, "007", date(2020, 1, 2), datetime(2020, 1, 2, 3, 4)))
    assert values(file) == [["1", "1.5", "0.1", "TRUE", "007", "2020-01-02", "2020-01-02 03:04:00"]]


def test_errors_and_formulas_without_a_value_are_no_empty_cells(tmp_path):
    assert values(save(tmp_path, ("#N/A", "#DIV/0!", "=A1&B1", None, "x"))) == [["#N/A", "#DIV/0!", "=A1&B1", "x"]]


def test_formula_gives_its_value(tmp_path):
    file = save(tmp_path, ("=1+1",), change={"xl/worksheets/sheet1.xml": (b"<v></v>", b"<v>2</v>")})
    assert values(file) == [["2"]]


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/styles.xml", b"<fill><patternFill", b"<fill/><fill><patternFill"),
        ("xl/styles.xml", b'<family val="2"', b'<family val="99"'),
        ("xl/styles.xml", b"<cellStyle ", b'<cellStyle unknown="1" '),
        ("xl/worksheets/sheet1.xml", b"</sheetData>", b'</sheetData><autoFilter ref="nonsense"/>'),
        (
            "docProps/core.xml",
            b"</cp:coreProperties>",
            b"<dcterms:modified>never</dcterms:modified></cp:coreProperties>",
        ),
    ],
)
def test_how_the_table_looks_does_not_matter(tmp_path, part, old, new):
    assert values(save(tmp_path, ("patient_id",), ("A",), change={part: (old, new)})) == [["patient_id"], ["A"]]


def test_workbook_without_styles_or_references_to_cells_is_read(tmp_path):
    file = save(tmp_path, ("a", None, "b"), change={"xl/worksheets/sheet1.xml": (b' r="A1"', b"")})
    assert values(file) == [["a", "b"]]


def test_cell_far_away_costs_nothing(tmp_path):
    file = save(tmp_path, ("a",), edit=lambda sheet: sheet.cell(1048576, 16384, "stray"))
    assert read(file).cells == {1: {0: "a"}, 1048576: {16383: "stray"}}


def test_rich_text_is_read_without_phonetic_hints(tmp_path):
    rich, sheet = b"<r><t>po</t></r><r><t>st</t></r><rPh><t>x</t></rPh>", "xl/worksheets/sheet1.xml"
    assert values(save(tmp_path, ("post",), change={sheet: (b"<t>post</t>", rich)})) == [["post"]]
    strings = (b"", b"<sst><si>" + rich + b"</si></sst>")
    changed = (b't="n"><v>1</v>', b't="s"><v>0</v>')
    assert values(save(tmp_path, (1,), change={sheet: changed, "xl/sharedStrings.xml": strings})) == [["post"]]


def test_merged_and_hidden_lines_are_known(tmp_path):
    def edit(sheet):
        sheet.merge_cells("A2:A3")
        sheet.row_dimensions[2].hidden = True

    lines = read(save(tmp_path, ("a",), ("b",), ("c",), edit=edit))
    assert (lines.merged, lines.hidden) == ([(2, 3, 0, 0)], {2})


@pytest.mark.parametrize(
    ("names", "message"),
    [(["content.xml"], "OpenDocument"), (["xl/workbook.bin"], r"binary workbook \(.xlsb\)"), (["x"], "not a workbook")],
)
def test_other_archives_are_named(tmp_path, names, message):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name in names:
            archive.writestr(name, "")
    with pytest.raises(ValueError, match=message):
        Workbook(tmp_path / "t.xlsx")


def test_damaged_workbook_is_refused(tmp_path):
    file = save(tmp_path, ("a",), change={"xl/worksheets/sheet1.xml": (b"</row>", b"")})
    with pytest.raises(ValueError, match=r"damaged: xl/worksheets/sheet1.xml"):
        read(file)
    file = save(tmp_path, (1,), change={"xl/worksheets/sheet1.xml": (b't="n"><v>1<', b't="s"><v>7<')})
    with pytest.raises(ValueError, match="damaged: the cell A1 of line 1"):
        read(file)
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ValueError, match="damaged"):
        Workbook(file)
