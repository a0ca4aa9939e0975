from pathlib import Path

import pytest
from PCRTrainingLib.intake.columns import Table, describe_columns
from PCRTrainingLib.intake.words import read_answer
from support.own_cohort import GERMAN, german_row


def table(columns, *rows):
    return Table(Path("t.csv"), None, {name: [str(row[k]) for row in rows] for k, name in enumerate(columns)})


def test_german_table_is_understood():
    found = describe_columns(table(GERMAN, *(german_row(k) for k in range(1, 13))), "Nr.")
    assert found.columns == {
        "patient_id": "Nr.",
        "pcr": "Komplettremission (pCR)",
        "age": "Alter bei MRT",
        "hr": "HR-Status",
        "her2": "HER2",
        "menopause": "Menopausenstatus",
        "site": "Zentrum",
    }
    assert found.values["pcr"] == {"nein": "0", "ja": "1"}
    assert found.values["her2"] == {"1+": "negative", "3+": "positive"}
    assert found.values["menopause"] == {"prämenopausal": "pre"}
    assert found.doubts == {}
    assert "pcr: Komplettremission (pCR) (4 with pCR, 8 without; nein = no pCR, ja = pCR)" in found.notes


def test_of_two_columns_that_could_be_the_label_none_is_taken():
    found = describe_columns(table(["id", "pCR breast", "pCR total"], ["1", "yes", "no"], ["2", "no", "yes"]), "id")
    assert "pcr" not in found.columns
    assert "2 columns could be pCR: pCR breast ('yes' once, 'no' once); pCR total" in found.doubts["pcr"]


def test_column_of_the_very_name_goes_before_others_which_are_named():
    rows = [["1", "yes", "no"], ["2", "no", "yes"]]
    found = describe_columns(table(["id", "PCR", "Response"], *rows), "id")
    assert found.columns["pcr"] == "PCR"
    assert "also Response, not used" in found.notes[0]


def test_german_result_is_the_label():
    found = describe_columns(table(["id", "Ergebnis"], ["1", "vollständig"], ["2", "partiell"]), "id")
    assert found.values["pcr"] == {"vollständig": "1", "partiell": "0"}


def test_result_of_something_else_is_not_the_label():
    assert "pcr" not in describe_columns(table(["id", "Ergebnis Biopsie"], ["1", "ja"], ["2", "nein"]), "id").columns


def test_columns_that_may_be_the_label_are_named():
    found = describe_columns(table(["id", "RCP", "Alter"], ["1", "sí", "51"], ["2", "no", "52"]), "id")
    assert found.doubts["pcr"].endswith("It may be RCP ('sí' once, 'no' once)")
    found = describe_columns(table(["id", "Remission"], *enumerate(["komplett", "teilweise", "keine"])), "id")
    assert "It may be Remission ('komplett' once" in found.doubts["pcr"]


@pytest.mark.parametrize(("name", "values"), [("pCR", ("1", "2")), ("pCR", ("A", "B")), ("non-pCR", ("yes", "no"))])
def test_label_whose_values_do_not_say_what_they_mean_is_left_to_the_user(name, values):
    found = describe_columns(table(["id", name], *enumerate(values)), "id")
    assert found.columns["pcr"] == name
    assert "pcr" not in found.values
    assert "write into values what each means" in found.doubts["pcr"]


def test_unknown_cells_are_reported_and_a_column_of_other_cells_is_not_taken():
    ages = [["1", "51", "x"], *([str(k), "60", "y"] for k in range(2, 9)), ["9", "unbekannt?", "z"]]
    found = describe_columns(table(["id", "Alter", "Menopause"], *ages), "id")
    assert found.columns == {"patient_id": "id", "age": "Alter"}
    assert "Alter has cells that are not age ('unbekannt?')" in found.doubts["age"]
    assert "is that of menopause, but its cells are not; not taken" in found.doubts["menopause"]


def test_two_columns_of_a_variable_are_listed():
    found = describe_columns(table(["id", "HER2 IHC", "HER2 status"], ["1", "3+", "pos"], ["2", "0", "neg"]), "id")
    assert found.doubts["her2"] == "2 columns could be her2: HER2 IHC, HER2 status; name one in columns"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *((text, "1") for text in ("ja", "Oui", "SÍ", "yes", "1", "1.0", "wahr", "pCR", "Complete response", "+")),
        *((text, "0") for text in ("nein", "Non", "no", "0", "não", "kein pCR", "non-pCR", "no pCR", "not complete")),
        *((text, "0") for text in ("incomplete", "partial response", "residual disease", "-", "falsch", "negativ")),
        *((text, answer) for text, answer in (("vollständig", "1"), ("Komplette Remission", "1"), ("teilweise", "0"))),
        *((text, None) for text in ("2", "A", "near complete", "vielleicht", "RCB-I")),
    ],
)
def test_answers_of_several_languages(text, answer):
    assert read_answer(text) == answer


def test_a_column_of_both_receptors_is_not_that_of_hormone_receptors():
    rows = [["1", "1", "1", "0", "HR+/HER2-"], ["2", "0", "3", "1", "HR-/HER2+"]]
    found = describe_columns(table(["id", "HR Pos", "HR_HER2_CATEGORY", "HER2", "HR_HER2_STATUS"], *rows), "id")
    assert found.columns["hr"] == "HR Pos"
    assert found.columns["her2"] == "HER2"


@pytest.mark.parametrize("odd", ["n.b.", "??", "maybe"])
def test_an_odd_cell_costs_the_label_of_its_patient_alone(odd):
    cells = ["complete", "partial", odd, "partial", "complete", "partial"]
    found = describe_columns(table(["id", "Response"], *([f"p{k}", text] for k, text in enumerate(cells))), "id")
    assert found.values["pcr"] == {"complete": "1", "partial": "0", odd: ""}
    assert f"Response: p2 has {odd!r}, neither pCR nor none" in found.doubts["odd labels"]
    assert "2 with pCR, 3 without" in found.notes[0] and f"{odd} = unknown" in found.notes[0]


def test_many_odd_cells_or_another_number_leave_the_column_in_doubt():
    for cells in (["1", "0", "2", "0", "1", "0"], ["yes", "no", "stable", "progress", "worse"]):
        found = describe_columns(table(["id", "Response"], *([f"p{k}", text] for k, text in enumerate(cells))), "id")
        assert "pcr" not in found.columns and "pcr" in found.doubts


def test_receptors_from_which_hr_follows_are_no_missing_column():
    found = describe_columns(table(["id", "pcr", "ER"], ["1", "1", "pos"], ["2", "0", "neg"]), "id")
    assert "hr: not in the table; positive if er or pr is, negative if both are, else unknown" in found.notes
    assert "not in the table: age, her2, menopause" in found.notes
