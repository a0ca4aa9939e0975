"""All phases in one file of any format, or in the files of a folder; everywhere an exam is given."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import LeftAside
from PCRPredictorLib.model.notices import about_source
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.reading.images import read_series
from PCRPredictorLib.reading.sources import SeriesSource, find_sources, given_source
from support.cohort_files import GEOMETRY, write_patient, write_table
from support.examples import ARRAY, OBLIQUE, write_image, write_raw_nifti

PHASES = [(ARRAY + 1000 * k).astype(np.int16) for k in range(5)]


def write_series(path, phases=PHASES, geometry=OBLIQUE):
    """Write phases into one file: a fourth axis, or as components if the name says vector."""
    volumes = [sitk.GetImageFromArray(phase) for phase in phases]
    for volume in volumes:
        volume.SetSpacing(geometry.spacing)
        volume.SetOrigin(geometry.origin)
        volume.SetDirection(geometry.direction.ravel().tolist())
    join = sitk.Compose if "vector" in path.name else sitk.JoinSeries
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(join(volumes), path)
    return path


def write_phases(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        write_image(folder / f"{name}.nii.gz", PHASES[k])
    return folder


def first_voxels(exam):
    return [int(phase.flat[0]) // 1000 for phase in exam.phases]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "vector.nrrd", "a.seq.nrrd", "a.mha", "vector.mha"])
def test_a_file_with_all_phases_is_an_exam_in_every_format(tmp_path, name):
    exam = read_series([write_series(tmp_path / name)])
    assert first_voxels(exam) == [0, 1, 4]
    assert exam.geometry.offset(OBLIQUE) < 1e-4
    assert (exam.provenance.picked.found, exam.provenance.picked.phases) == (5, (0, 1, 4))
    codes = [notice.code for notice in about_source(exam.provenance)]  # ITK names no space for four axes of NRRD
    assert [code for code in codes if code != "no_position"] == ["phase_times_unknown"]
    picked = read_series([tmp_path / name], (3, 2, 0))
    assert first_voxels(picked) == [3, 2, 0]
    assert picked.provenance.picked.by_hand
    assert {notice.code for notice in about_source(picked.provenance)} <= {"no_position"}


def test_times_of_the_file_choose_the_early_phase_and_are_kept(tmp_path):
    path = write_raw_nifti(tmp_path / "a.nii.gz", np.stack(PHASES), pixdim=[1, 1, 2, 3, 60, 0, 0, 0], xyzt_units=10)
    exam = read_series([path])
    assert first_voxels(exam) == [0, 2, 4]
    assert (exam.provenance.phase_times, exam.provenance.first_post) == ((0, 120, 240), 60)
    assert list(about_source(exam.provenance)) == []


@pytest.mark.parametrize("pick", [(0, 1), (0, 1, 1), (0, 1, 5), (-1, 0, 1), (0, 1, 2, 3)])
def test_a_pick_that_is_not_three_phases_of_the_file_is_refused(tmp_path, pick):
    with pytest.raises(DataError, match=r"a.nii: pick must be three different phases of 0 to 4, got "):
        read_series([write_series(tmp_path / "a.nii")], pick)


def test_files_with_one_and_with_several_phases_go_together(tmp_path):
    pre = write_image(tmp_path / "pre.nii", PHASES[0])
    exam = read_series([pre, write_series(tmp_path / "post.nrrd", PHASES[1:])])
    assert first_voxels(exam) == [0, 1, 4]


def test_a_phase_that_cannot_be_read_is_gone_round_by_a_pick_and_named(tmp_path):
    files = [write_image(tmp_path / f"p{k}.nii", PHASES[k]) for k in range(5)]
    files[1].write_bytes(b"")
    with pytest.raises(DataError, match=r"p1.nii: is empty; copy"):
        read_series(files)
    exam = read_series(files, (0, 2, 4))
    assert first_voxels(exam) == [0, 2, 4]
    assert exam.provenance.left_aside == (
        LeftAside("p1.nii", "p1.nii: is empty; copy or export it again", looks_like_phase=True),
    )


def test_a_phase_on_a_different_grid_that_was_not_chosen_is_named(tmp_path):
    files = [write_image(tmp_path / f"p{k}.nii", PHASES[k]) for k in range(4)]
    cut = replace(OBLIQUE, size=(*OBLIQUE.size[:2], OBLIQUE.size[2] - 1))
    files[2] = write_image(tmp_path / "p2.nii", PHASES[2][1:], cut)
    (aside,) = read_series(files).provenance.left_aside
    assert aside.name == "p2.nii" and aside.looks_like_phase and aside.reason.startswith("differs from p0.nii in size")


def test_phases_nearly_on_one_grid_are_read_with_a_warning(tmp_path):
    files = [write_image(tmp_path / f"p{k}.nii", PHASES[k]) for k in range(2)]
    shifted = replace(OBLIQUE, origin=(-10.0, 20.0, 5.1))
    exam = read_series([*files, write_image(tmp_path / "p2.nii", PHASES[2], shifted)])
    assert [notice.code for notice in exam.provenance.notices] == ["phases_off_grid"]


def test_a_file_or_a_folder_of_phases_is_a_source(tmp_path):
    file = write_series(tmp_path / "Jane 1.2.nii.gz")
    folder = write_phases(tmp_path / "P 7", ["pre", "post1", "post2", "post3"])
    write_image(folder / "Tumour.nii.gz", ARRAY % 2)
    write_image(folder / "T2.nii.gz")
    (folder / "._pre.nii.gz").write_bytes(b"x")
    one, several = find_sources([file, folder])
    assert (one.name, several.name) == ("Jane 1.2", "P 7")
    assert first_voxels(one.read()) == [0, 1, 4]
    exam = several.with_overrides(None, {}, pick=(0, 2, 3)).read()
    assert first_voxels(exam) == [0, 2, 3]
    assert exam.has_tumour
    assert [item.name for item in exam.provenance.left_aside] == ["T2.nii.gz"]


def test_a_folder_with_one_file_of_all_phases_is_a_source(tmp_path):
    write_series(tmp_path / "exam" / "dce.seq.nrrd")
    write_image(tmp_path / "exam" / "mask.nii.gz", ARRAY % 2)
    (source,) = find_sources([tmp_path / "exam"])
    assert isinstance(source, SeriesSource)
    assert source.read().has_tumour


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a_0000", "a_0001", "a_0003", "a_0004"], r"has no phase _0002, but has a_0000.nii.gz, .*; add the file"),
        (["a_0001", "a_0002", "a_0003", "a_0004"], r"has no phase _0000, but has a_0001.nii.gz"),
        (["anna", "berta", "carla"], r"names that give the order, such as pre, post1, post2"),
        (["pre", "post1"], r"names that give the order"),
    ],
)
def test_a_folder_whose_phases_have_a_gap_or_no_order_is_refused(tmp_path, names, message):
    with pytest.raises(DataError, match=message):
        given_source([], series=[write_phases(tmp_path / "P", names)])


@pytest.mark.parametrize("volumes", [1, 2])
def test_a_file_with_too_few_phases_is_refused(tmp_path, volumes):
    path = write_raw_nifti(tmp_path / "a.nii", np.stack(PHASES[:volumes]))
    for call in (lambda: find_sources([path]), lambda: given_source([], series=[path])):
        with pytest.raises(DataError, match=rf"a.nii: must have at least 3 phases, got {volumes}; give"):
            call()


def test_a_refused_file_is_one_sentence(tmp_path):
    path = write_raw_nifti(tmp_path / "a.nii", np.stack(PHASES), pixdim=[1, 0, 2, 3, 0, 0, 0, 0])
    with pytest.raises(DataError, match=r"a.nii: its voxels must be 0.05 to 20 mm wide along each axis, got 0 x 2 x 3"):
        find_sources([path])


def write_mapping(cohort, **parts):
    (cohort / "cohort.json").write_text(json.dumps(parts))


def test_patients_of_a_cohort_have_a_file_each_named_in_cohort_json(tmp_path):
    for name in ("A", "B"):
        write_series(tmp_path / "dce" / f"{name}.nrrd", geometry=OBLIQUE)
        (tmp_path / "masks").mkdir(exist_ok=True)
        write_image(tmp_path / "masks" / f"{name}.nii.gz", ARRAY % 3)
    write_mapping(
        tmp_path, series="dce/{patient_id}.nrrd", mask=["masks/{patient_id}.nii.gz"], pick=[0, 2, 3], label=[1]
    )
    patients = find_patients(tmp_path)
    assert [patient.patient_id for patient in patients] == ["A", "B"]
    exam = read_patient(patients[1])
    assert first_voxels(exam) == [0, 2, 3]
    np.testing.assert_array_equal(exam.mask, ARRAY % 3 == 1)
    write_mapping(tmp_path, series="dce/{patient_id}.nrrd", mask=["masks/{patient_id}.nii.gz"], label="all")
    assert len(read_patient(find_patients(tmp_path)[0]).lesions) == 2
    write_mapping(tmp_path, series="dce/{patient_id}.nrrd", mask=["masks/{patient_id}.nii.gz"])
    with pytest.raises(DataError, match=r'has 2 labels, .*"label" in cohort.json'):
        read_patient(find_patients(tmp_path)[0])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"series": "a/{patient_id}.nii", "mask": ["m"], "phases": ["a", "b", "c"]}, "must not be given together"),
        ({"series": "a/{patient_id}.nii"}, "must be given together"),
        ({"pick": [0, 1]}, "pick must be three different positions"),
        ({"pick": [0, 0, 1]}, "pick must be three different positions"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(tmp_path, parts, message):
    write_mapping(tmp_path, **parts)
    with pytest.raises(DataError, match=message):
        find_patients(tmp_path)


def test_times_of_the_table_choose_among_the_phases_of_one_file(tmp_path):
    write_series(tmp_path / "images" / "A" / "whole.nii.gz")
    write_table(tmp_path, 'patient_id,acquisition_times\nA,"[0, 60, 120, 180, 400]"\n')
    exam = read_patient(find_patients(tmp_path)[0], need_mask=False)
    assert first_voxels(exam) == [0, 2, 4]
    assert exam.provenance.phase_times == (0, 120, 400)


def test_phases_that_every_patient_numbers_from_one_are_read_with_a_warning(tmp_path):
    for name in ("a", "b"):
        write_patient(tmp_path, name, 4)
        (tmp_path / "images" / name.upper() / f"{name}_0000.nii.gz").unlink()
    exam = read_patient(find_patients(tmp_path)[0])
    assert [notice.code for notice in exam.provenance.notices] == ["phases_from_one"]
    write_patient(tmp_path, "c", 4)
    with pytest.raises(DataError, match=r"A: has no phase _0000, but has a_0001.nii.gz"):
        read_patient(find_patients(tmp_path)[0])


def test_an_image_on_the_grid_of_the_phases_that_is_not_used_looks_like_a_phase(tmp_path):
    write_patient(tmp_path, "a")
    folder = tmp_path / "images" / "A"
    write_image(folder / "extra.nii.gz", np.zeros(GEOMETRY.shape, np.int16), GEOMETRY)
    write_image(folder / "subtraction.nii.gz", np.zeros(GEOMETRY.shape, np.int16), GEOMETRY)
    write_image(folder / "other.nii.gz")
    found = read_patient(find_patients(tmp_path)[0]).provenance.left_aside
    assert {item.name: item.looks_like_phase for item in found} == {
        "extra.nii.gz": True,
        "subtraction.nii.gz": False,
        "other.nii.gz": False,
    }


@pytest.mark.parametrize(
    "pointer",
    [
        "/annex/objects/MD5E-s123--abc.nii.gz\n",
        "../../.git/annex/objects/Xx/Yy/MD5E-s1--0.nii.gz",
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a",
    ],
)
def test_content_that_was_not_fetched_is_named_as_such(tmp_path, pointer):
    write_patient(tmp_path, "a")
    phase = tmp_path / "images" / "A" / "a_0000.nii.gz"
    phase.write_text(pointer)
    with pytest.raises(DataError, match=r"a_0000.nii.gz: names its content, which was not fetched; fetch it with git"):
        read_patient(find_patients(tmp_path)[0])
    phase.unlink()
    phase.symlink_to("nowhere")
    with pytest.raises(DataError, match=r"a_0000.nii.gz is a link to a file that is not there"):
        read_patient(find_patients(tmp_path)[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page, such as a login, not an image"),
        (b"PK\x03\x04" + bytes(60), "is a zip archive, not an image; unpack it"),
    ],
)
def test_what_is_saved_under_the_name_of_an_image_is_named(tmp_path, content, message):
    (tmp_path / "pre.nii.gz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_series([tmp_path / "pre.nii.gz"])
