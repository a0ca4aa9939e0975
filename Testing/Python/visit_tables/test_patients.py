"""Tables of several trials with visits: what is recognised, converted, asked about and refused."""

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.visit_tables.mapping import TableMapping, read_table_mapping
from PCRTrainingLib.visit_tables.patients import read_visit_tables
from support.response.visit_tables import VISITS, other_trial, simulate, write_csv, write_workbook

CELLS = simulate(40)
BASE = {name: CELLS[name] for name in ("patient_id", "age", "hr", "her2", "pcr")}


def _diameters(names, factor=1.0):
    return {
        name: [round(factor * value, 2) for value in CELLS[f"longest_diameter_mm_{visit}"]]
        for name, visit in zip(names, VISITS, strict=False)
    }


def _diameter(found, visit):
    return np.array([course.visits[visit].values.longest_diameter_mm for course in found.courses])


def test_own_columns_are_read_as_they_are(tmp_path):
    found = read_visit_tables([write_csv(CELLS, tmp_path / "a.csv")])
    assert len(found) == 40
    assert found.labels.tolist() == [int(value) for value in CELLS["pcr"]]
    assert found.courses[3].visits["T2"].values.functional_volume_ml == CELLS["functional_volume_ml_T2"][3]


def test_workbook_of_another_trial_needs_no_help(tmp_path):
    found = read_visit_tables([other_trial(tmp_path / "trial.xlsx")])
    first = found.courses[0]
    assert (len(found), list(first.visits)) == (80, ["T0", "T1", "T2", "T3"])
    assert first.clinical["hr"] in ("positive", "negative")
    assert any("in mm (a median of" in note for note in found.notes)
    assert any("Notes): not used" in note for note in found.notes)
    assert "T3" not in found.courses[5].visits


def test_patients_without_label_or_visit_are_counted(tmp_path):
    visits = {**_diameters(["T0_LD_mm"]), "patient_id": BASE["patient_id"]}
    visits["T0_LD_mm"][0] = ""
    labels = {"patient_id": BASE["patient_id"], "pcr": ["", "", *BASE["pcr"][2:]]}
    found = read_visit_tables([write_csv(visits, tmp_path / "v.csv"), write_csv(labels, tmp_path / "l.csv")])
    reasons = [problem.reason for problem in found.labelled().left_out]
    assert reasons == ["has no measurement at any visit", "has no label in the column of pCR"]


def test_unit_that_cannot_be_told_is_asked_about(tmp_path):
    names = [f"size_week{k}" for k in (0, 3, 12, 24)]
    path = write_csv({**BASE, **_diameters(names, 0.1)}, tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"unit of size_week0, .* must be given.*--unit mm or --unit cm"):
        read_visit_tables([path])
    found = read_visit_tables([path], TableMapping().with_units(["cm"]))
    assert np.allclose(_diameter(found, "T0"), [round(0.1 * v, 2) * 10 for v in CELLS["longest_diameter_mm_T0"]])


def test_unit_in_a_cell_goes_before_that_of_the_column(tmp_path):
    cells = {**BASE, **_diameters(["LD_cm_T0"], 0.1)}
    cells["LD_cm_T0"][0] = "32 mm"
    assert _diameter(read_visit_tables([write_csv(cells, tmp_path / "a.csv")]), "T0")[0] == 32


def test_column_whose_cells_all_have_units_needs_no_other(tmp_path):
    units = [f"{value / 10} cm" if k % 2 else f"{value} mm" for k, value in enumerate(range(20, 60))]
    found = read_visit_tables([write_csv({**BASE, "LD_V1": units}, tmp_path / "a.csv")])
    assert np.allclose(_diameter(found, "T0"), range(20, 60))
    assert any("in the unit of each cell: LD_V1" in note for note in found.notes)


def test_centimetres_of_some_patients_or_one_visit_are_noticed(tmp_path):
    some = _diameters(["LD_V1"])
    some["LD_V1"][::4] = [value / 10 for value in some["LD_V1"][::4]]
    found = read_visit_tables([write_csv({**BASE, **some}, tmp_path / "a.csv")])
    assert any("under 10 mm in 10 of 40 patients (S000, S004, S008, ...)" in text for text in found.warnings)
    one = {**_diameters(["LD_V1"]), "LD_V3": [value / 10 for value in CELLS["longest_diameter_mm_T2"]]}
    found = read_visit_tables([write_csv({**BASE, **one}, tmp_path / "b.csv")])
    assert any("diameter at T2 is" in text and "its unit right?" in text for text in found.warnings)
    assert not read_visit_tables([write_csv(CELLS, tmp_path / "c.csv")]).warnings


@pytest.mark.parametrize("title", ["GeparX, Stand 03.2024;;;;;;;", "Some trial", "Trial, release 2, of 2024"])
def test_title_above_the_header_of_a_text_table_is_left_aside(tmp_path, title):
    path = write_csv({**BASE, **_diameters(["LD_mm_T0", "LD_mm_T1"])}, tmp_path / "a.csv", ";")
    path.write_text(f"{title}\n{path.read_text()}")
    found = read_visit_tables([path])
    assert _diameter(found, "T1").tolist() == CELLS["longest_diameter_mm_T1"]
    assert any("has 1 line above its headings in line 2; left aside" in note for note in found.notes)


def test_longer_line_is_not_taken_for_a_header(tmp_path):
    path = write_csv({**BASE, **_diameters(["LD_mm_T0"])}, tmp_path / "a.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1] + ",x", *lines[2:]]))
    with pytest.raises(DataError, match="line 2 must have at most the 6 values of the header, got 7"):
        read_visit_tables([path])


def _rows(visits):
    rows = [(k, j) for k in range(40) for j in range(len(visits))]
    return {
        "id": [BASE["patient_id"][k] for k, _ in rows],
        "timepoint": [visits[j] for _, j in rows],
        "diameter_mm": [CELLS[f"longest_diameter_mm_T{j}"][k] for k, j in rows],
        "pcr": [BASE["pcr"][k] for k, _ in rows],
    }


def test_rows_whose_visits_cannot_be_told_say_what_to_write(tmp_path):
    cells = _rows(["pre-NAC", "some time"])
    with pytest.raises(DataError, match="timepoint has 'some time', which names no visit; write T0, T1, T2 or T3"):
        read_visit_tables([write_csv(cells, tmp_path / "a.csv")])
    cells["date"] = cells.pop("timepoint")
    with pytest.raises(DataError, match="several rows per patient, and no column says which visit each is"):
        read_visit_tables([write_csv(cells, tmp_path / "b.csv")])


def test_outcome_that_differs_between_rows_of_a_patient_is_refused(tmp_path):
    cells = _rows(["T0", "T1"])
    cells["pcr"][5] = 1 - cells["pcr"][4]
    with pytest.raises(DataError, match=r"pcr is different in the rows of 1 patient \(s002\); each patient must have"):
        read_visit_tables([write_csv(cells, tmp_path / "a.csv")])


def test_row_per_visit_becomes_a_row_per_patient(tmp_path):
    rows = [(k, visit) for k in range(40) for visit in VISITS]
    cells = {
        "id": [BASE["patient_id"][k] for k, _ in rows],
        "timepoint": [visit for _, visit in rows],
        "diameter_mm": [CELLS[f"longest_diameter_mm_{visit}"][k] for k, visit in rows],
        "pcr": [BASE["pcr"][k] for k, _ in rows],
    }
    found = read_visit_tables([write_csv(cells, tmp_path / "long.csv")])
    assert len(found) == 40
    assert _diameter(found, "T2").tolist() == CELLS["longest_diameter_mm_T2"]


def test_german_words_numbers_and_receptors(tmp_path):
    cells = {"Patient": BASE["patient_id"], "pCR": ["ja" if p else "nein" for p in BASE["pcr"]]}
    cells["ER"] = ["positiv" if h else "negativ" for h in BASE["hr"]]
    cells["PR"] = ["negativ"] * 40
    cells |= {name: [str(v).replace(".", ",") for v in x] for name, x in _diameters(["LD (cm) V1"], 0.1).items()}
    found = read_visit_tables([write_csv(cells, tmp_path / "a.csv", ";")])
    assert found.labels.tolist() == [int(p) for p in BASE["pcr"]]
    assert found.courses[0].clinical["hr"] == ("positive" if BASE["hr"][0] else "negative")


def test_contradiction_of_two_tables_is_refused(tmp_path):
    other = {"patient_id": BASE["patient_id"], "age": [BASE["age"][0] + 1, *BASE["age"][1:]]}
    files = [write_csv(CELLS, tmp_path / "a.csv"), write_csv(other, tmp_path / "b.csv")]
    with pytest.raises(DataError, match=r"age must be the same .* in a\.csv and in b\.csv for 1 patient \(S000\)"):
        read_visit_tables(files)


def test_tables_without_a_common_patient_are_reported(tmp_path):
    other = {"patient_id": [f"Q{k}" for k in range(40)], "LD_mm_T1": CELLS["longest_diameter_mm_T1"]}
    found = read_visit_tables([write_csv(CELLS, tmp_path / "a.csv"), write_csv(other, tmp_path / "b.csv")])
    assert any("b.csv: none of its patients is in the other tables" in text for text in found.warnings)


def test_same_visit_twice_is_refused(tmp_path):
    path = write_csv({**BASE, **_diameters(["LD_mm_T0"]), "size_mm_baseline": [1] * 40}, tmp_path / "a.csv")
    with pytest.raises(DataError, match="LD_mm_T0 and size_mm_baseline are both longest diameter at T0; name one"):
        read_visit_tables([path])


def test_few_impossible_values_are_left_aside_and_many_refused(tmp_path):
    cells = {**BASE, **_diameters(["LD_cm_T0"], 0.1)}
    cells["LD_cm_T0"][:2] = [400, -3]
    found = read_visit_tables([write_csv(cells, tmp_path / "a.csv")])
    assert any("2 cells of LD_cm_T0 not used (400 is too large" in text for text in found.warnings)
    wrong = write_csv({**BASE, **_diameters(["LD_cm_T0"])}, tmp_path / "b.csv")
    with pytest.raises(DataError, match=r"of LD_cm_T0 cannot be used .* give its unit in a --mapping file"):
        read_visit_tables([wrong])


def test_swapped_and_copied_visits_are_reported(tmp_path):
    swapped = _diameters(["T3_LD_mm", "T1_LD_mm", "T2_LD_mm", "T0_LD_mm"])
    found = read_visit_tables([write_csv({**BASE, **swapped}, tmp_path / "a.csv")])
    assert any("larger at T3 than at T0" in text and "swapped?" in text for text in found.warnings)
    copied = {name: CELLS["longest_diameter_mm_T0"] for name in ("LD_mm_T0", "LD_mm_T1", "LD_mm_T2")}
    found = read_visit_tables([write_csv({**BASE, **copied}, tmp_path / "b.csv")])
    assert any("T1 is that of T0 in nearly every patient" in text for text in found.warnings)
    assert [each.patient_id for each in found.doubtful] == CELLS["patient_id"]


def test_wrong_unit_of_a_name_is_noticed(tmp_path):
    found = read_visit_tables([write_csv({**BASE, **_diameters(["LD_mm_T0"], 0.1)}, tmp_path / "a.csv")])
    assert any("mm is unusual; is its unit right?" in text for text in found.warnings)


def test_volume_that_may_not_be_functional_is_asked_about(tmp_path):
    cells = {**BASE, "tumour_volume_ml_T0": CELLS["functional_volume_ml_T0"]}
    with pytest.raises(DataError, match="tumour_volume_ml_T0 is a volume, but not known to be the functional one"):
        read_visit_tables([write_csv(cells, tmp_path / "a.csv")])


def test_mapping_names_what_the_table_does_not(tmp_path):
    cells = {"who": BASE["patient_id"], "end": ["A" if p else "B" for p in BASE["pcr"]], **_diameters(["first"], 0.1)}
    path = write_csv(cells, tmp_path / "a.csv")
    columns = {"patient_id": "who", "pcr": "end", "longest_diameter_mm_T0": "first"}
    mapping = TableMapping(columns, {"pcr": {"A": "1", "B": "0"}}, {"first": "cm"})
    found = read_visit_tables([path], mapping)
    assert found.labels.tolist() == [int(p) for p in BASE["pcr"]]
    assert _diameter(found, "T0").max() > 15


def test_mapping_file_that_is_wrong_is_one_sentence(tmp_path):
    file = tmp_path / "map.json"
    file.write_text('{"columns": {"size_T9": "x"}}', encoding="utf-8")
    with pytest.raises(DataError, match="'size_T9' is not known; use patient_id"):
        read_table_mapping(file)
    file.write_text("[", encoding="utf-8")
    with pytest.raises(DataError, match="must be a JSON object"):
        read_table_mapping(file)


def test_table_without_visits_says_what_it_needs(tmp_path):
    with pytest.raises(DataError, match="must have a column of patients and columns of tumours at visits"):
        read_visit_tables([write_workbook({"A": BASE}, tmp_path / "a.xlsx")])
