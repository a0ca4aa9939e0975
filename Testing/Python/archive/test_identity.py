"""Inputs of a patient are known again, and a change of any of them is noticed."""

import os
import shutil
from dataclasses import replace

import pytest
from PCRPredictorLib.archive.identity import identify
from PCRPredictorLib.reading.sources import find_sources
from support.cohort_files import write_patient, write_table
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam


@pytest.fixture
def cohort(tmp_path):
    """Two patients."""
    for name in ("aa_1", "aa_2"):
        write_patient(tmp_path / "cohort", name)
    write_table(tmp_path / "cohort", "patient_id,pcr,age\nAA_1,1,50\nAA_2,0,60\n")
    return tmp_path / "cohort"


def hashes(cohort):
    return [identify(source) for source in find_sources([cohort])]


def test_copy_in_a_different_place_is_the_same(cohort, tmp_path):
    assert hashes(shutil.copytree(cohort, tmp_path / "elsewhere")) == hashes(cohort)


def test_label_does_not_count_and_clinical_values_do(cohort):
    before = hashes(cohort)
    write_table(cohort, "patient_id,pcr,age\nAA_1,,50\nAA_2,1,61\n")
    assert [new == old for new, old in zip(hashes(cohort), before, strict=True)] == [True, False]


@pytest.mark.parametrize("file", ["images/AA_1/aa_1_0001.nii.gz", "segmentations/expert/aa_1.nii.gz"])
def test_changed_file_is_noticed(cohort, file):
    before = hashes(cohort)
    os.utime(cohort / file, ns=(1, 1))
    assert [new == old for new, old in zip(hashes(cohort), before, strict=True)] == [False, True]


def test_file_that_is_not_there_is_an_error(cohort):
    (source, _) = find_sources([cohort])
    source.patient.phases[0].unlink()
    with pytest.raises(FileNotFoundError):
        identify(source)


def test_folder_is_known_by_its_files(tmp_path):
    write_dicom_exam(tmp_path / "study", tiny_exam(), "siemens")
    (source,) = find_sources([tmp_path / "study"])
    before = identify(source)
    assert identify(source) == before
    next(path for path in (tmp_path / "study").rglob("*") if path.is_file()).unlink()
    assert identify(source) != before


NRRD = "NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\nspacings: 1 1 1\nencoding: raw\nendian: little\n"
META = "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementSpacing = 1 1 1\nElementType = MET_SHORT\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pre[1].nhdr", f"{NRRD}data file: "),
        ("pre.nrrd", f"{NRRD}data file: "),
        ("pre.mhd", f"{META}ElementDataFile = "),
    ],
)
def test_file_that_a_header_names_counts(cohort, tmp_path, name, text):
    header, voxels = tmp_path / name, tmp_path / "v.x"
    header.write_text(text + "v.x\n\n")
    voxels.write_bytes(bytes(16))
    source = find_sources([cohort])[0]
    source = replace(source, patient=replace(source.patient, phases=(header,) * 3))
    before = identify(source)
    os.utime(voxels, ns=(1, 1))
    assert identify(source) != before
