"""What counts as a file of the user's, and what its name is."""

import pytest
from PCRPredictorLib.files.names import does_not_exist, ending_of, files_in, folders_in, is_hidden, stem_of, walk_files


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("uka.001.nii.gz", "uka.001"),
        ("1.3.6.1.4.1.14519.5.2.1.7.nii", "1.3.6.1.4.1.14519.5.2.1.7"),
        ("1.2.840.113619.2", "1.2.840.113619.2"),
        ("P1.SEG.NRRD", "P1"),
        ("p.1.seq.nrrd", "p.1"),
        ("a.b.dcm", "a.b"),
        ("a.v2", "a.v2"),
        ("plain", "plain"),
    ],
)
def test_known_endings_alone_are_no_part_of_a_name(name, stem):
    assert stem_of(name) == stem


def test_an_ending_is_the_longest_that_is_read():
    assert [ending_of(name) for name in ("a.NII.GZ", "a.nii", "a.gz", "a.seq.nrrd")] == [".nii.gz", ".nii", "", ".nrrd"]


def test_what_systems_leave_behind_does_not_count(tmp_path):
    for name in ("b.nii", "a.nii", "._a.nii", ".DS_Store", "Thumbs.db", "__MACOSX/c.nii", "sub/d.nii", ".git/e.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [file.name for file in files_in(tmp_path)] == ["a.nii", "b.nii"]
    assert [folder.name for folder in folders_in(tmp_path)] == ["sub"]
    assert [file.name for file in walk_files(tmp_path)] == ["a.nii", "b.nii", "d.nii"]
    assert files_in(tmp_path / "nowhere") == []
    assert is_hidden("@eaDir")


def test_a_path_that_is_not_there_names_what_is_nearly_the_same(tmp_path):
    (tmp_path / "My Cohort/images").mkdir(parents=True)
    typed = tmp_path / "my cohrt" / "images"
    assert does_not_exist(typed) == f"{typed}: does not exist; check the path ({tmp_path / 'My Cohort'} is there)"
    assert does_not_exist(tmp_path / "other") == f"{tmp_path / 'other'}: does not exist; check the path"
