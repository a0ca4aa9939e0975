import json
import os

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients, read_patient

PHASES = [f"Bilder/Pat {{patient_id}}/T1_{name}.*" for name in ("pre", "post1", "post2")]
MASK = ["Masken/{patient_id}.*"]


def write(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


@pytest.fixture
def cohort(tmp_path):
    for number in ("001", "002"):
        write(tmp_path, *(f"Bilder/Pat {number}/T1_{name}.nii.gz" for name in ("pre", "post1", "post2")))
    write(tmp_path, "Masken/001.nii.gz")
    (tmp_path / "table.csv").write_text("patient_id,pcr\n1,0\n3,1\n")
    describe(tmp_path)
    return tmp_path


def describe(folder, **parts):
    content = {"table": "table.csv", "phases": PHASES, "mask": MASK, **parts}
    (folder / "cohort.json").write_text(json.dumps(content))


def test_patients_are_those_on_disk_with_or_without_a_row(cohort):
    one, two = find_patients(cohort)
    assert (one.patient_id, one.row["pcr"], one.mask.name) == ("001", "0", "001.nii.gz")
    assert (two.patient_id, two.row, two.mask) == ("002", {}, None)


def test_endings_and_case_may_differ_between_patients_and_sidecar_files_are_ignored(cohort):
    folder = cohort / "Bilder" / "Pat 002"
    (folder / "T1_pre.nii.gz").rename(folder / "t1_PRE.mha")
    write(folder, "T1_pre.json", "._T1_pre.nii.gz")
    assert [path.name for path in find_patients(cohort)[1].phases] == [
        "t1_PRE.mha",
        "T1_post1.nii.gz",
        "T1_post2.nii.gz",
    ]


def test_identifier_may_be_written_twice(cohort):
    describe(cohort, phases=["Bilder/Pat {patient_id}/{patient_id}_" + f"{k}.*" for k in range(3)])
    write(cohort, *(f"Bilder/Pat P1/p1_{k}.nii" for k in range(3)), "Bilder/Pat P2/p1_0.nii")
    assert [patient.patient_id for patient in find_patients(cohort)] == ["P1"]


def test_two_files_for_one_phase_cost_that_patient_alone(cohort):
    write(cohort, "Bilder/Pat 002/T1_pre.nii")
    one, two = find_patients(cohort)
    assert not one.problem
    with pytest.raises(DataError, match=r"002: .* one file for each phase .*T1_pre.nii, .*T1_pre.nii.gz; name one"):
        read_patient(two)


def test_missing_phase_keeps_its_place_unless_it_is_the_last(cohort):
    (cohort / "Bilder" / "Pat 001" / "T1_post1.nii.gz").unlink()
    (cohort / "Bilder" / "Pat 002" / "T1_post2.nii.gz").unlink()
    one, two = find_patients(cohort)
    assert one.phases[1].name == "T1_post1.*"
    assert len(two.phases) == 2


def test_stars_stand_for_any_text_in_patterns_with_other_columns(cohort):
    (cohort / "table.csv").write_text("patient_id,folder\n1,Pat 001\n")
    describe(cohort, phases=[text.replace("Pat {patient_id}", "{folder}") for text in PHASES])
    (patient,) = find_patients(cohort)
    assert (patient.patient_id, patient.phases[2].name) == ("1", "T1_post2.nii.gz")


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_links_that_leave_the_cohort_need_leave(cohort, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "mask.nii.gz"
    elsewhere.write_bytes(b"")
    (cohort / "Masken" / "002.nii.gz").symlink_to(elsewhere)
    sound, linked = find_patients(cohort)
    assert sound.problem == ""
    assert '"follow_links": true into cohort.json' in linked.problem
    with pytest.raises(DataError, match="leads out of the cohort's folder"):
        read_patient(linked)
    describe(cohort, follow_links=True)
    assert find_patients(cohort)[1].mask.name == "002.nii.gz"


def test_comments_in_cohort_json_are_ignored(cohort):
    describe(cohort, **{"// phases": "six of them", "columns": {"// pcr": "two candidates"}})
    assert len(find_patients(cohort)) == 2


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize("pattern", ["Masken/{patient_id}.nii.gz", "Masken/{name}.nii.gz", "Masken/{name}.*"])
def test_a_link_in_a_circle_costs_its_patient(cohort, pattern):
    (cohort / "table.csv").write_text("patient_id,name,pcr\n001,001,0\n002,002,1\n")
    describe(cohort, mask=[pattern])
    (cohort / "Masken" / "002.nii.gz").symlink_to("002.nii.gz")
    sound, linked = find_patients(cohort)
    assert sound.problem == ""
    assert linked.problem or linked.mask is None


@pytest.mark.parametrize("name", ["A\x1b[2J", "a" * 300, "../../etc"])
def test_a_row_that_names_no_file_costs_its_patient(cohort, name):
    (cohort / "table.csv").write_text(f"patient_id,name,pcr\n001,001,0\n002,{name},1\n")
    describe(cohort, mask=["Masken/{name}.nii.gz"])
    sound, other = find_patients(cohort)
    assert (sound.problem, other.patient_id) == ("", "002")
    assert "Masken/{name}.nii.gz' must" in other.problem


def test_a_column_that_is_not_there_is_no_patient_s_fault(cohort):
    describe(cohort, mask=["Masken/{name}.nii.gz"])
    with pytest.raises(DataError, match="must have columns of the table in its braces"):
        find_patients(cohort)
