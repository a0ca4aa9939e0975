"""Hostile tables of patients, CSV and Excel: each function spoils the table in a cohort's folder."""

import zipfile
from pathlib import Path

CSV, XLSX = "clinical_and_imaging_info.csv", "clinical_and_imaging_info.xlsx"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def text(change):
    """Return an attack that changes the text of the CSV."""

    def spoil(folder):
        file = Path(folder) / CSV
        content = change(file.read_text())
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))

    return spoil


def workbook(sheet=None, strings=None, more=None, lie=None):
    """Return an attack that puts a workbook in place of the CSV.

    Args:
        sheet: makes the XML of the sheet's rows of the intact ones.
        strings: the XML of shared strings.
        more: further parts by name.
        lie: size of the sheet that the archive declares.
    """

    def spoil(folder):
        csv = Path(folder) / CSV
        rows = intact_rows(csv.read_text())
        csv.unlink()
        parts = {
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
            '<sheet name="dataset_info" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/>'
            "</Relationships>",
            "xl/worksheets/sheet1.xml": sheet(rows) if sheet else in_sheet(rows),
            **({"xl/sharedStrings.xml": strings} if strings else {}),
            **(more or {}),
        }
        with zipfile.ZipFile(Path(folder) / XLSX, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        if lie is not None:
            _declare(Path(folder) / XLSX, "xl/worksheets/sheet1.xml", lie)

    return spoil


def intact_rows(csv):
    """Return the rows of a CSV as XML."""
    cells = [[f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in _cells(line)] for line in csv.splitlines()]
    return "".join(f'<row r="{n}">{"".join(row)}</row>' for n, row in enumerate(cells, 1))


def _cells(line):
    return [cell.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for cell in line.split(",")]


def in_sheet(rows, head="", tail=""):
    return f'{head}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{tail}</worksheet>'


def _declare(file, part, size):
    """Write a different size of a part into the archive's directory."""
    content = bytearray(file.read_bytes())
    at = content.rindex(part.encode()) - 46
    content[at + 24 : at + 28] = size.to_bytes(4, "little")
    file.write_bytes(content)


LAUGHS = (
    "<!DOCTYPE x ["
    + '<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
STRAY = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'

TEXTS = {
    "a million columns": text(lambda csv: csv.replace("\n", "," * 1_000_000 + "\n", 1)),
    "one line of 2 MB": text(lambda csv: csv + "a" * 2_000_000),
    "one line of two million cells": text(lambda csv: csv + "a," * 2_000_000),
    "600,000 empty lines": text(lambda csv: csv + "\n" * 600_000),
    "a quote that never ends": text(lambda csv: csv.replace("\n", '\n"', 1) + "x" * 200_000),
    "zeros": text(lambda _: bytes(100_000)),
    "UTF-16 of half a character": text(lambda csv: b"\xff\xfe" + csv.encode("utf-16-le")[:-1]),
    "UTF-32 that is none": text(lambda csv: b"\xff\xfe\0\0" + csv.encode()),
    "a web page": text(lambda _: "<!doctype html><html>" + "<p>" * 10_000),
    "5,000 brackets as times": text(lambda csv: _with_column(csv, "acquisition_times", "[" * 5_000)),
    "times that are Python": text(lambda csv: _with_column(csv, "acquisition_times", "[__import__('os').getpid()]")),
    "times of 100,000 numbers": text(lambda csv: _with_column(csv, "acquisition_times", "1;" * 100_000)),
    "an age of 5,000 digits": text(lambda csv: _with_column(csv, "age2", "9" * 5000)),
    "yes or no of 5,000 digits": text(lambda csv: _in_column(csv, "hr", "9" * 5000)),
    "identifiers of 5,000 digits": text(lambda csv: csv.replace("P", "9" * 5000)),
    "identifiers with NUL": text(lambda csv: csv.replace("P1", "P\0")),
    "identifiers with escapes": text(lambda csv: csv.replace("P1", "\x1b[2JP1")),
    "every column twice": text(lambda csv: "\n".join(f"{line},{line}" for line in csv.splitlines())),
    "nothing": text(lambda _: ""),
}
WORKBOOKS = {
    "one cell in XFD1048576": workbook(lambda rows: in_sheet(rows + STRAY)),
    "nothing but a cell in XFD1048576": workbook(lambda _: in_sheet(STRAY)),
    "6 MB of blanks between the rows": workbook(lambda rows: in_sheet(rows + " " * 6_000_000)),
    "a hundred thousand empty rows": workbook(lambda rows: in_sheet(rows + "<row/>" * 100_000)),
    "a row of 200,000 cells": workbook(lambda rows: in_sheet(rows + f"<row>{'<c><v>1</v></c>' * 200_000}</row>")),
    "320,000 cells": workbook(
        lambda rows: in_sheet(rows + f"<row>{'<c><v>1</v></c>' * 16_000}</row>" * 20)
    ),
    "elements inside each other": workbook(lambda rows: in_sheet(rows + f"<row>{'<c>' * 100_000}</row>")),
    "a cell of 3 MB": workbook(lambda rows: in_sheet(rows + f"<row><c t='str'><v>{'a' * 3_000_000}</v></c></row>")),
    "a cell of 5,000 digits": workbook(lambda rows: in_sheet(rows + f"<row><c><v>{'9' * 5000}</v></c></row>")),
    "a cell in column ZZZZZZ": workbook(lambda rows: in_sheet(rows + '<row><c r="ZZZZZZ9"><v>1</v></c></row>')),
    "a row of 5,000 digits": workbook(lambda rows: in_sheet(f"{rows}<row r='{'9' * 5000}'/>")),
    "a billion laughs": workbook(lambda rows: in_sheet(rows + "<row><c t='str'><v>&a9;</v></c></row>", LAUGHS)),
    "an entity from a file": workbook(
        lambda rows: in_sheet(rows, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>')
    ),
    "shared strings of 6 MB": workbook(strings=f'<sst xmlns="{_MAIN}">{"<si><t>a</t></si>" * 400_000}</sst>'),
    "a shared string that is not there": workbook(
        lambda rows: in_sheet(rows + '<row><c t="s"><v>99999999999</v></c></row>'), strings=f'<sst xmlns="{_MAIN}"/>'
    ),
    "merged cells of whole columns": workbook(
        lambda rows: in_sheet(rows, tail='<mergeCells><mergeCell ref="A:A"/></mergeCells>')
    ),
    "30,000 merged cells": workbook(
        lambda rows: in_sheet(rows, tail="<mergeCells>" + '<mergeCell ref="A9:B9"/>' * 30_000 + "</mergeCells>")
    ),
    "a sheet that declares 100 bytes": workbook(lambda rows: in_sheet(rows + " " * 3_000_000), lie=100),
    "a part that leads out of the archive": workbook(
        more={"xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" Target="/../../etc/passwd"/>'
              "</Relationships>"}
    ),
    "styles of 200,000 formats": workbook(
        more={"xl/styles.xml": f'<styleSheet><cellXfs>{"<xf/>" * 200_000}</cellXfs></styleSheet>'}
    ),
}  # fmt: skip


def _in_column(csv, name, value):
    """Put a value into every row of a column, which is added if it is not there."""
    first, *rest = csv.splitlines()
    if name not in first.split(","):
        return _with_column(csv, name, value)
    place = first.split(",").index(name)
    rows = [line.split(",") for line in rest]
    return "\n".join([first, *(",".join([*row[:place], value, *row[place + 1 :]]) for row in rows)]) + "\n"


def _with_column(csv, name, value):
    first, *rest = csv.splitlines()
    return "\n".join([f"{first},{name}", *(f"{line},{value}" for line in rest)]) + "\n"
