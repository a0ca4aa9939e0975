"""Hostile DICOM: each file is refused or left aside in one sentence, with little memory; nothing ends the process."""

import shutil
import tracemalloc

import numpy as np
import pytest
from PCRPredictorLib.dicom import datasets
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.segmentation import read_segmentation
from PCRPredictorLib.errors import DataError
from support.dicom_exam import write_dicom_exam
from support.dicom_segmentation import write_segmentation
from support.examples import tiny_exam
from support.hostile.dicom import GEOMETRY, KINDS, MASKS, VALUES

EXAM = tiny_exam(size=(32, 32, 6), spacing=(2.0, 2.0, 4.0))
READ = {"SEG of an unknown type", "SEG without frames"}  # which leaves no doubt
MB = 1 << 20


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("intact")
    write_dicom_exam(folder / "exam", EXAM, "siemens")
    write_segmentation(folder / "seg.dcm", EXAM.geometry, {1: EXAM.mask})
    return folder


@pytest.fixture(autouse=True)
def low_limit(monkeypatch):
    monkeypatch.setattr(datasets, "DATASET", 4 * MB)


def refused(read):
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        read()
    assert tracemalloc.get_traced_memory()[1] < 12 * MB
    tracemalloc.stop()
    assert len(str(caught.value)) < 1100 and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in VALUES])
def test_one_hostile_file_costs_the_exam_a_sentence(intact, tmp_path, kind):
    folder = shutil.copytree(intact / "exam", tmp_path / "exam")
    KINDS[kind](sorted(folder.iterdir())[8])
    refused(lambda: read_dicom_exam(folder))


@pytest.mark.parametrize("kind", GEOMETRY)
def test_a_lattice_that_no_exam_has_is_refused(intact, tmp_path, kind):
    folder = shutil.copytree(intact / "exam", tmp_path / "exam")
    for file in folder.iterdir():
        GEOMETRY[kind](file)
    refused(lambda: read_dicom_exam(folder))


@pytest.mark.parametrize("kind", VALUES)
def test_a_hostile_value_is_refused_or_harmless(intact, tmp_path, kind):
    folder = shutil.copytree(intact / "exam", tmp_path / "exam")
    for file in folder.iterdir():
        VALUES[kind](file)
    try:
        assert np.isfinite(read_dicom_exam(folder).early).all()
    except DataError as error:
        assert len(str(error)) < 1100


@pytest.mark.parametrize("kind", MASKS.keys())
def test_a_hostile_segmentation_is_refused(intact, tmp_path, kind):
    shutil.copy(intact / "seg.dcm", tmp_path / "seg.dcm")
    MASKS[kind](tmp_path / "seg.dcm")
    if kind in READ:
        read_segmentation(tmp_path / "seg.dcm", EXAM.geometry)
    else:
        refused(lambda: read_segmentation(tmp_path / "seg.dcm", EXAM.geometry))
