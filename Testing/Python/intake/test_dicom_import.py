import filecmp
import json
import os
import pickle
import shutil
import stat

import numpy as np
import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.engine.engine import ThisProcess
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.writing import read_csv, write_nifti
from PCRTrainingLib.command_line import app
from PCRTrainingLib.intake import dicom_import
from PCRTrainingLib.intake.dicom_exam import find_exam
from PCRTrainingLib.intake.dicom_files import list_files, read_dicom_folder
from PCRTrainingLib.intake.dicom_import import Settings, import_dicom_folder
from PCRTrainingLib.progress import Progress
from support.dicom_exam import EXAM
from support.own_cohort import DICOM_MASK as MASK
from support.own_cohort import STYLES, write_dicom_patient, write_seg

TABLE = "Patienten-ID;Name;pCR;Alter\n007000;Anna;ja;51\n7001;Berta;nein;62\n7002;Clara;nein;47\n"


class Lines(Progress):
    def __init__(self):
        self.lines = []

    def say(self, message):
        self.lines.append(message)


def import_into(cohort, folder, table=None, **settings):
    progress = Lines()
    done = import_dicom_folder(folder, cohort, Settings(**settings), progress, table)
    return done, progress.lines


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Three patients of three vendors, with the files of two mixed in one folder."""
    folder = tmp_path_factory.mktemp("archive") / "DICOM"
    for number, style in enumerate(STYLES):
        write_dicom_patient(folder / ("mixed" if number < 2 else "2019/Secret"), number, style, mask=False)
        write_seg(folder / f"seg{number}.dcm", number)
    return folder


@pytest.fixture
def copied(archive, tmp_path):
    return shutil.copytree(archive, tmp_path / "DICOM")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    file = tmp_path_factory.mktemp("table") / "Klinik.csv"
    file.write_text(TABLE)
    return file


@pytest.fixture(scope="module")
def cohort(archive, table, tmp_path_factory):
    """The whole archive, imported with its table."""
    cohort = tmp_path_factory.mktemp("whole") / "cohort"
    import_into(cohort, archive, table)
    return cohort


def files_of(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def assert_same(cohort, other):
    assert files_of(cohort) == files_of(other)
    kept = [name for name in files_of(cohort) if name.suffix != ".json" and name.name != ".import.lock"]
    assert all(filecmp.cmp(cohort / name, other / name, shallow=False) for name in kept)


def test_every_phase_and_the_mask_become_a_cohort_with_the_columns_of_the_table(cohort):
    patients = find_patients(cohort)
    assert [(p.patient_id, len(p.phases), p.row["pcr"], p.row["age"]) for p in patients] == [
        ("P001", 4, "1", "51"),
        ("P002", 4, "0", "62"),
        ("P003", 4, "0", "47"),
    ]
    assert patients[1].row["acquisition_times"] == "[0, 90, 200, 400]"
    exam = read_patient(patients[1])
    assert np.array_equal(exam.mask, MASK)
    assert np.array_equal(exam.early, np.rint(EXAM.early) + 1)


def test_only_the_private_list_holds_what_names_a_patient(cohort):
    assert read_csv(cohort / "identifiers.csv")[1] == {"patient_id": "P002", "PatientID": "7001"}
    if os.name != "nt":
        assert stat.S_IMODE((cohort / "identifiers.csv").stat().st_mode) == 0o600
    for path in files_of(cohort):
        assert "Secret" not in str(path)
        content = (cohort / path).read_bytes()
        assert path.name == "identifiers.csv" or not any(word in content for word in (b"7001", b"Secret", b"Anna"))


def test_each_patient_is_one_line(archive, tmp_path):
    done, lines = import_into(tmp_path / "cohort", archive)
    assert lines[0] == "P001: 4 phases (series 5 (dyn T1)); mask from SEG, segment 1 Tumour"
    assert lines[1].startswith("P002: 4 phases (series 5 (dyn T1), series 6 (dyn T1)")
    assert (done.patients, done.masks, done.problems) == (3, 3, ())


def test_second_run_imports_nothing_and_keeps_labels_that_were_filled_in(archive, tmp_path):
    import_into(tmp_path / "c", archive)
    file = tmp_path / "c" / "clinical_and_imaging_info.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1].replace("P001,", "P001,1", 1), *lines[2:]]) + "\n")
    done, said = import_into(tmp_path / "c", archive)
    assert done.unchanged == 3
    assert all(line.endswith("; unchanged") for line in said)
    assert read_csv(file)[0]["pcr"] == "1"


def test_changed_and_new_patients_are_imported_and_keep_their_numbers(copied, tmp_path):
    import_into(tmp_path / "c", copied)
    write_dicom_patient(copied / "0", 5, PatientID="0001")
    next((copied / "2019").rglob("*")).touch()
    seg = copied / "seg2.dcm"
    os.utime(seg, ns=(1, 1))
    done, said = import_into(tmp_path / "c", copied)
    assert done.unchanged == 2
    assert {line.split(":")[0] for line in said if "unchanged" not in line} == {"P003", "P004"}


@pytest.mark.parametrize("at", [1, 3, 6, 9])
def test_import_that_is_stopped_at_any_file_is_completed_by_the_next(cohort, archive, table, tmp_path, monkeypatch, at):
    calls = []

    def stop(*arguments):
        calls.append(arguments)
        if len(calls) == at:
            raise KeyboardInterrupt
        write_nifti(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dicom_import, "write_nifti", stop)
        import_into(tmp_path / "c", archive, table)
    left, own = (tmp_path / "c" / "images" / name for name in (".P001-pcr-a1b2c3d4", ".P001-backup"))
    left.mkdir(parents=True)  # as a killed process leaves it
    own.mkdir()
    (tmp_path / "c" / "images" / "P003").mkdir(exist_ok=True)
    import_into(tmp_path / "c", archive, table)
    assert own.exists()
    assert os.name == "nt" or not left.exists()
    assert_same(cohort, tmp_path / "c")


def test_patient_that_cannot_be_read_does_not_stop_the_others(copied, tmp_path, capsys):
    for file in list((copied / "2019").rglob("*"))[3:9]:
        file.write_bytes(b"") if file.is_file() else None
    assert run(app, ["import", str(copied), str(tmp_path / "c")]) == 1
    said = capsys.readouterr().out
    assert "P003: not imported: " in said
    assert "2 of 3 patients are in" in said
    assert str(copied) not in said.replace(str(tmp_path / "c"), "")
    assert not (tmp_path / "c" / "images" / "P003").exists()


def write_visits(folder, **tags):
    for visit, date in enumerate(("20200101", "20200513")):
        write_dicom_patient(folder / str(visit), 1, mask=False, StudyInstanceUID=f"1.{visit}", StudyDate=date, **tags)
    return folder


def test_of_several_studies_one_must_be_chosen(tmp_path):
    folder = write_visits(tmp_path / "d")
    done, _ = import_into(tmp_path / "c", folder)
    (problem,) = done.problems
    assert "has 2 studies that may be the exam (study 1: 4 phases; study 2: 4 phases, 133 days later)" in problem
    assert "--study first or last" in problem
    _, (line,) = import_into(tmp_path / "c", folder, study="last")
    assert "study 2 of 2 in the order of their dates" in line


def test_study_without_an_exam_needs_no_choice(tmp_path):
    write_dicom_patient(tmp_path / "d" / "a", 1)
    write_dicom_patient(
        tmp_path / "d" / "b", 1, mask=False, times=(0,), StudyInstanceUID="1.7", EchoTime="90", FlipAngle="90"
    )
    done, _ = import_into(tmp_path / "c", tmp_path / "d")
    assert done.patients == 1


@pytest.mark.parametrize("place", ["d/1/Maske.nii.gz", "d/masks/7001.nii.gz", "d/masks/1_seg.nii.gz"])
def test_mask_may_be_an_image_in_the_folder_of_the_patient_or_named_like_it(tmp_path, place):
    for number in (1, 2):
        write_dicom_patient(tmp_path / "d" / str(number) / "images", number, mask=False)
        file = tmp_path / place.replace("1", str(number))
        file.parent.mkdir(exist_ok=True)
        write_nifti(MASK, EXAM.geometry, file)
    done, lines = import_into(tmp_path / "c", tmp_path / "d")
    assert done.masks == 2
    assert lines[0].endswith("; mask from an image")


def test_of_several_segments_the_tumour_is_taken_or_one_must_be_chosen(tmp_path):
    other = np.roll(MASK, 1, 2)
    folder = write_dicom_patient(tmp_path / "d", 1, mask=False)
    write_seg(folder / "seg", 1, {1: (other, "Breast"), 2: (MASK, "Breast tumor")})
    _, (line,) = import_into(tmp_path / "c", folder)
    assert line.endswith("; mask from SEG, segment 2 Breast tumor of 2")
    write_seg(folder / "seg", 1, {1: (other, "A"), 2: (MASK, "B")})
    _, (line,) = import_into(tmp_path / "c", folder)
    assert "no mask (the SEG has 2 segments, 1 A, 2 B; choose with --label)" in line
    import_into(tmp_path / "c", folder, labels=("2",))
    (patient,) = find_patients(tmp_path / "c")
    assert np.array_equal(read_patient(patient).mask, MASK)


def test_of_two_different_masks_none_is_taken(tmp_path):
    folder = write_dicom_patient(tmp_path / "d", 1)
    write_nifti(np.roll(MASK, 1, 2), EXAM.geometry, folder / "mask.nii.gz")
    done, (line,) = import_into(tmp_path / "c", folder)
    assert done.masks == 0
    assert line.endswith("2 different masks, of which none was taken; leave one of them")


def test_files_of_no_patient_are_reported(copied, tmp_path):
    (copied / "notes").mkdir()
    (copied / "notes" / "readme.txt").write_text("x")
    write_nifti(MASK, EXAM.geometry, copied / "notes" / "atlas.nii.gz")
    done, _ = import_into(tmp_path / "c", copied)
    assert "2 files of no patient, such as atlas.nii.gz: not used" in done.remarks


def test_patients_may_keep_their_patient_ids(archive, tmp_path):
    import_into(tmp_path / "c", archive, ids="patient-id")
    assert [patient.patient_id for patient in find_patients(tmp_path / "c")] == ["7000", "7001", "7002"]
    assert not (tmp_path / "c" / "identifiers.csv").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Patient;pCR\n99;ja\n", "no column has the PatientIDs"),
        ("PatientID;pCR\n7001;ja\n7001;nein\n", "1 patients have more than one row"),
        ("", "cannot be read as a table"),
    ],
)
def test_table_that_cannot_be_joined_is_refused_before_anything_is_imported(archive, tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        import_into(tmp_path / "c", archive, tmp_path / "t.csv")
    assert not (tmp_path / "c" / "images").exists()


def test_tasks_travel_to_other_processes(archive, tmp_path):
    (patient, *_) = read_dicom_folder(archive, list_files(archive, tmp_path), ThisProcess()).patients
    task = dicom_import.Task(patient, (), "P001", tmp_path / "c", Settings())
    done = dicom_import.import_one(pickle.loads(pickle.dumps(task)), lambda: None)  # our own, never a model
    assert (done.problem, done.taken[:8]) == ("", "4 phases")
    assert pickle.loads(pickle.dumps(done)) == done


def test_folder_that_is_not_there_for_a_moment_is_tried_again(copied, tmp_path, monkeypatch):
    seen = []

    def find_late(*arguments):
        seen.append(arguments)
        if len(seen) < 3:
            raise FileNotFoundError(2, "no such file")
        return find_exam(*arguments)

    monkeypatch.setattr(dicom_import, "find_exam", find_late)
    monkeypatch.setattr("PCRPredictorLib.engine.many.time.sleep", lambda _: None)
    shutil.rmtree(copied / "mixed")
    done, _ = import_into(tmp_path / "c", copied)
    assert (len(seen), done.patients, done.problems) == (3, 1, ())


def test_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "d").mkdir()
    for folder in ("d", "none"):
        with pytest.raises(DataError, match=r"has no DICOM images|does not exist"):
            import_into(tmp_path / "c", tmp_path / folder)
    assert not (tmp_path / "c").exists()


def test_names_of_files_do_not_reveal_the_patient(tmp_path):
    folder = write_dicom_patient(tmp_path / "d", 1)
    next(file for file in folder.iterdir() if file.name != "seg.dcm").rename(folder / "SECRET_Anna1.dcm")
    (folder / "Secret-7001.pdf").write_bytes(b"%PDF")
    _, lines = import_into(tmp_path / "c", folder)
    record = (tmp_path / "c" / "import" / "P001.json").read_text()
    assert not any(word in text.lower() for text in (*lines, record) for word in ("secret", "anna1", "7001"))
    (folder / "SECRET_Anna1.dcm").write_bytes(b"")
    _, lines = import_into(tmp_path / "c", folder)
    assert "not imported" in lines[0]
    assert "secret" not in lines[0].lower()


def test_record_lists_what_was_left_aside(tmp_path):
    folder = write_dicom_patient(tmp_path / "d", 1)
    write_dicom_patient(
        folder / "t2", 1, mask=False, times=(0,), EchoTime="90", SeriesDescription="t2 stir", SeriesNumber=2
    )
    import_into(tmp_path / "c", folder)
    record = json.loads((tmp_path / "c" / "import" / "P001.json").read_text())
    assert record["format"] == 1
    assert all("t2 stir" in aside["name"] for aside in record["left_aside"])


@pytest.mark.parametrize("place", ["/", "~", "a link", "a file"])
def test_cohort_in_a_place_that_is_no_folder_of_its_own_is_a_wrong_call(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a link").symlink_to("elsewhere")
    (tmp_path / "a file").write_text("mine")
    where = {"/": "/", "~": str(tmp_path)}.get(place, str(tmp_path / place))
    assert run(app, ["import", str(tmp_path), where]) == 2
    assert "the folder of the cohort must be" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "elsewhere").exists()
