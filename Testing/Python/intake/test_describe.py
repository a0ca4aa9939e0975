import json
import shutil

import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRTrainingLib.cohort.check import check_cohort
from PCRTrainingLib.command_line import app
from PCRTrainingLib.intake.describe import init_cohort
from PCRTrainingLib.progress import Progress
from support.own_cohort import (
    GERMAN,
    german_row,
    write_exam,
    write_german_cohort,
    write_series,
    write_tree,
    write_workbook,
)

ROWS = [GERMAN, *(german_row(k) for k in range(1, 13))]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_german_cohort(tmp_path_factory.mktemp("own") / "Kohorte")


@pytest.fixture
def cohort(original, tmp_path):
    return shutil.copytree(original, tmp_path / "Kohorte")


def test_german_cohort_can_be_trained_on_after_init(cohort, capsys):
    assert run(app, ["init", str(cohort)]) == 0
    said = capsys.readouterr().out
    assert "patients: 12, with 6 phases" in said
    assert "could not be told" not in said
    assert check_cohort(cohort, Progress()) == (12, [])
    assert find_patients(cohort)[0].row["pcr"] == "0"


def test_cohort_json_is_never_replaced_unless_asked(cohort):
    (cohort / "cohort.json").write_text("{}")
    with pytest.raises(DataError, match="is there already; edit it, or describe the folder anew with --force"):
        init_cohort(cohort)
    assert (cohort / "cohort.json").read_text() == "{}"
    assert "phases" in json.loads(init_cohort(cohort, force=True).text)


def test_what_patients_lack_is_reported(cohort):
    (cohort / "Bilder" / "Pat 003" / "Tumormaske.nii.gz").unlink()
    (cohort / "Bilder" / "Pat 004" / "T1_post2.nii.gz").unlink()
    write_exam([cohort / "Bilder" / "Pat 020" / f"T1_{k}.nii.gz" for k in ("pre", "post1", "post2")], 20)
    (cohort / "Bilder" / "Pat 012").rename(cohort / "elsewhere")
    found = init_cohort(cohort)
    assert found.missing == (
        "2 without a mask: 003, 020",
        "1 without a row in the table: 020",
        "2 with a phase missing: 004, 020",
        "1 of 12 rows of the table have no images: 12",
    )
    assert "the table names 11 patients without the leading zeros; they were matched by number" in found.taken


def test_folder_without_a_table_says_so(cohort):
    (cohort / "Patientinnen.xlsx").unlink()
    found = init_cohort(cohort)
    assert found.doubts == ("no table was found; put a table with a row per patient and a column for pCR into it",)
    assert len(find_patients(cohort)) == 12


def test_of_two_tables_the_one_with_the_label_is_taken_and_the_other_named(cohort):
    (cohort / "Größen.csv").write_text("Nr.;mm\n" + "".join(f"{k};20\n" for k in range(1, 13)), encoding="utf-8")
    found = init_cohort(cohort)
    assert json.loads(found.text)["table"] == "Patientinnen.xlsx"
    assert "Größen.csv: not used; a cohort has one table" in found.doubts[0]


def test_of_two_tables_that_fit_none_is_taken(cohort):
    shutil.copy(cohort / "Patientinnen.xlsx", cohort / "Kopie.xlsx")
    found = init_cohort(cohort)
    assert "table" not in json.loads(found.text)
    assert "2 tables name the patients: Kopie.xlsx, Patientinnen.xlsx; write one of them as table" in found.doubts


def test_sheet_with_the_patients_is_named(cohort):
    write_workbook(cohort / "Patientinnen.xlsx", [["Legende"], ["ja = pCR"]], ROWS)
    assert json.loads(init_cohort(cohort).text)["sheet"] == "Blatt 2"


def test_identifiers_with_a_prefix_in_the_table_are_mapped(cohort):
    write_workbook(cohort / "Patientinnen.xlsx", [GERMAN, *([f"BR-{k:03d}", *german_row(k)[1:]] for k in range(1, 13))])
    init_cohort(cohort)
    assert check_cohort(cohort, Progress()) == (12, [])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "has no images; give a folder with phases"),
        (["a/x.nii", "a/y.nii"], r"has 2 images, but their names say neither phase nor number \(a/x.nii, a/y.nii\)"),
    ],
)
def test_folder_that_cannot_be_described_is_refused_and_nothing_is_written(tmp_path, names, message):
    write_tree(tmp_path, *names)
    with pytest.raises(DataError, match=message):
        init_cohort(tmp_path)
    assert not (tmp_path / "cohort.json").exists()


def test_folder_of_dicom_is_referred_to_import(tmp_path):
    (tmp_path / "1").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(DataError, match="make a cohort of it with pcr import"):
        init_cohort(tmp_path)


def test_links_that_leave_the_folder_need_one_edit(cohort, original):
    shutil.rmtree(cohort / "Bilder")
    (cohort / "Bilder").symlink_to(original / "Bilder")
    found = init_cohort(cohort)
    assert found.doubts[0] == (
        '84 images are links that lead out of the folder; write "follow_links": true to allow them'
    )
    text = found.text.replace('"follow_links": false', '"follow_links": true')
    (cohort / "cohort.json").write_text(text, encoding="utf-8")
    assert check_cohort(cohort, Progress()) == (12, [])


def english_rows(separator, name=str):
    rows = [["Subject", "Age", "ER", "Path. complete response"]]
    rows += [[name(k), f"5{k % 10},5", "pos" if k % 2 else "neg", "yes" if k % 3 else "no"] for k in range(1, 7)]
    return "".join(separator.join(row) + "\n" for row in rows)


def test_flat_files_with_a_semicolon_table_and_identifiers_with_a_prefix(tmp_path):
    for k in range(1, 7):
        names = [tmp_path / f"BR-{k:03d}_{name}.nii" for name in ("pre", "early", "late")]
        write_exam(names, k, tmp_path / f"BR-{k:03d}_mask.nii")
    (tmp_path / "data.csv").write_text(english_rows(";", lambda k: f"br-{k:03d}"))
    found = init_cohort(tmp_path)
    assert json.loads(found.text)["phases"][0] == "{patient_id}_pre.nii"
    assert check_cohort(tmp_path, Progress()) == (6, [])
    assert found.missing == ()
    assert find_patients(tmp_path)[0].row["pcr"] == "1"


def test_copy_of_mama_mia_in_lower_case_with_its_own_table(tmp_path):
    for k in range(1, 7):
        folder = tmp_path / "images" / f"ispy1_{k:04d}"
        names = [folder / f"ispy1_{k:04d}_{phase:04d}.nii.gz" for phase in range(3)]
        write_exam(names, k, tmp_path / "segmentations" / "expert" / f"ispy1_{k:04d}.nii.gz")
    (tmp_path / "mine.tsv").write_text(english_rows("\t", lambda k: f"ISPY1_{k:04d}"))
    content = json.loads(init_cohort(tmp_path).text)
    assert "phases" not in content
    assert content["table"] == "mine.tsv"
    assert check_cohort(tmp_path, Progress()) == (6, [])


def test_mixed_endings_and_masks_in_a_folder_of_their_own_by_number(tmp_path):
    for k in range(1, 7):
        ending = (".nii", ".nii.gz", ".nrrd")[k % 3]
        names = [tmp_path / "scans" / f"Patient_{k:02d}" / f"{name}{ending}" for name in ("nativ", "früh", "spät")]
        write_exam(names, k, tmp_path / "Masken" / f"{k}.nii.gz")
    (tmp_path / "data.csv").write_text(english_rows(",", str).replace(",5,", ","))
    init_cohort(tmp_path)
    assert check_cohort(tmp_path, Progress()) == (6, [])


def test_two_visits_by_date_are_reported_as_several_files(tmp_path):
    for k in range(1, 7):
        for visit in (f"2020010{k}", f"2020060{k}"):
            write_exam([tmp_path / f"P{k}" / visit / f"ph{n}.nii" for n in range(3)], k)
    found = init_cohort(tmp_path)
    assert "6 with several files for one phase or mask: P1, P2, P3, P4, P5, ..." in found.missing


def test_table_with_more_rows_than_images(cohort):
    write_workbook(cohort / "Patientinnen.xlsx", [GERMAN, *(german_row(k) for k in range(1, 60))])
    found = init_cohort(cohort)
    assert "47 of 59 rows of the table have no images: 13, 14, 15, 16, 17, ..." in found.missing


@pytest.mark.parametrize("name", ["Pat {}/dce.nii.gz", "{}.nii", "img/{}/4D.nrrd"])
def test_one_file_with_all_phases(tmp_path, name):
    for k in range(1, 5):
        file = tmp_path / name.format(f"{k:03d}")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_series(file, k, tmp_path / "masks" / f"{k:03d}.nii.gz")
    (tmp_path / "data.csv").write_text(english_rows(";"))
    found = init_cohort(tmp_path)
    assert json.loads(found.text)["series"] == name.format("{patient_id}")
    assert found.taken[0] == "patients: 4, with one file for all phases"
    assert check_cohort(tmp_path, Progress())[0] == 4
    assert read_patient(find_patients(tmp_path)[0]).provenance.picked.found == 4


def with_rows(cohort, *rows):
    write_workbook(cohort / "Patientinnen.xlsx", list(rows))
    return init_cohort(cohort, force=True)


def test_header_below_a_title_and_identifiers_stored_as_decimals(cohort):
    rows = [[float(k), *german_row(k)[1:]] for k in range(1, 13)]
    with_rows(cohort, ["Liste des Brustzentrums"], [], GERMAN, *rows)
    assert check_cohort(cohort, Progress()) == (12, [])


def test_of_a_running_number_and_an_identifier_the_identifier_is_taken(cohort):
    found = with_rows(
        cohort, ["lfd. Nr.", "PatID", "pCR"], *([k, 13 - k, "ja" if k < 6 else "nein"] for k in range(1, 13))
    )
    assert json.loads(found.text)["columns"]["patient_id"] == "PatID"
    assert "lfd. Nr. could name the patients, too; PatID is taken" in found.doubts


def test_of_two_identifiers_none_is_taken(cohort):
    found = with_rows(cohort, ["Pat A", "Pat B", "pCR"], *([k, 13 - k, k % 2] for k in range(1, 13)))
    assert "columns" not in json.loads(found.text)
    assert found.doubts[0] == "Pat A and Pat B could both name the patients; write one as patient_id into columns"


def test_files_that_are_no_tables_that_can_be_read_are_reported(cohort):
    (cohort / "Patientinnen.xlsx").rename(cohort / "Patientinnen.xls")
    (cohort / "alt.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(99))
    assert any(
        "alt.xls: cannot be read as a table (it is an old Excel file" in text for text in init_cohort(cohort).doubts
    )


def test_call_ends_with_1_if_the_phases_could_not_be_described(tmp_path):
    write_tree(tmp_path, *(f"P{{{k}}}/{x}.nii" for k in range(3) for x in ("pre", "post1", "post2")))
    assert run(app, ["init", str(tmp_path)]) == 1
