"""The exams that are found in folders and files."""

import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading import sources
from PCRPredictorLib.reading.sources import DicomSource, Source, find_source, find_sources, given_source
from PCRPredictorLib.writing import write_nifti
from PCRPredictorView import opengl
from PCRPredictorView.command import find_exams
from PCRPredictorView.opengl import check_possible
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam
from support.training_cohort import write_cohort


@pytest.fixture
def exam_folder(tmp_path):
    folder, exam = tmp_path / "an exam", tiny_exam()
    folder.mkdir()
    for name, array in zip(("pre", "Early", "late", "tumour"), (*exam.phases, exam.mask), strict=True):
        write_nifti(array, exam.geometry, folder / f"{name}.nii.gz")
    (folder / "clinical.json").write_text('{"age": 61}')
    return folder


def test_a_folder_with_an_exam_is_one_source(exam_folder):
    (source,) = find_sources([exam_folder])
    exam = source.read()
    assert source.name == "an exam"
    assert exam.clinical == {"age": 61}
    assert exam.mask.any()


def test_times_beside_the_phases_are_read_also_if_the_files_are_named(exam_folder):
    (exam_folder / "times.json").write_text('{"acquisition_times": [5, 125, 405]}')
    (source,) = find_sources([exam_folder])
    for each in (source, given_source(source.phases), given_source([], series=[exam_folder])):
        provenance = each.read().provenance
        assert (provenance.phase_times, provenance.first_post) == ((0, 120, 400), 120)
        assert provenance.picked is None


@pytest.mark.parametrize(
    "text", ["", "[]", '{"acquisition_times": [5, 4, 3]}', '{"acquisition_times": [5, 125]}', "{}"]
)
def test_times_that_cannot_be_used_are_reported(exam_folder, text):
    (exam_folder / "times.json").write_text(text)
    (notice,) = find_sources([exam_folder])[0].read().provenance.notices
    assert notice.message.startswith("times.json must hold acquisition_times, the rising seconds of the 3 phases")


def test_the_folder_of_pcr_demo_is_one_source(exam_folder):
    exam_folder.rename(exam_folder.parent / "exam")
    (source,) = find_sources([exam_folder.parent])
    assert source.name == exam_folder.parent.name
    assert source.read().mask.any()


def test_an_exam_without_a_mask_can_be_opened(exam_folder):
    (exam_folder / "tumour.nii.gz").unlink()
    assert find_sources([exam_folder])[0].read().mask is None


def test_a_cohort_is_one_source_per_patient(training_cohort):
    sources_found = find_sources([training_cohort])
    assert len(sources_found) == 16
    assert sources_found[0].read().mask.any()


def test_sources_can_be_sent_to_a_different_process(exam_folder, training_cohort):
    for source in find_sources([exam_folder, training_cohort]):
        assert pickle.loads(pickle.dumps(source)) == source  # our own, never a model


def test_a_dicom_folder_is_one_source(tmp_path):
    write_dicom_exam(tmp_path / "study", tiny_exam(), "siemens")
    (source,) = find_sources([tmp_path / "study"])
    assert isinstance(source, DicomSource)
    assert source.read().pre.shape == tiny_exam().pre.shape


@dataclass(frozen=True, kw_only=True)
class ArrayFile(Source):
    """A format that the library does not know: phases and mask in one file of numpy."""

    path: Path

    @classmethod
    def find(cls, place):
        return [cls(name=file.stem, path=file) for file in sorted(place.glob("*.npz"))]

    def read_source(self):
        arrays = np.load(self.path)
        return replace(tiny_exam(), **{name: arrays[name] for name in arrays})


def test_a_new_kind_of_exam_is_one_class_and_one_entry(monkeypatch, tmp_path, predict_given):
    monkeypatch.setattr(sources, "KINDS", [*sources.KINDS, ArrayFile])
    exam = tiny_exam()
    np.savez(tmp_path / "toy.npz", pre=exam.pre, mask=exam.mask)
    (shown,) = find_exams([tmp_path], [], None, ["age=44"])
    assert shown.read().clinical["age"] == "44"
    assert predict_given(find_sources([tmp_path]), tmp_path / "out").failed == {}
    assert find_source(tmp_path, "toy").read().mask.any()


@pytest.mark.parametrize(("make", "message"), [(False, "does not exist"), (True, "holds no exam")])
def test_a_folder_without_an_exam_is_reported(tmp_path, make, message):
    folder = tmp_path / "nothing"
    if make:
        folder.mkdir()
    with pytest.raises(DataError, match=message):
        find_sources([folder])


def test_files_mask_and_values_of_the_command_make_an_exam(exam_folder, tmp_path):
    phases = [exam_folder / f"{name}.nii.gz" for name in ("pre", "Early", "late")]
    (source,) = find_exams([], phases, exam_folder / "tumour.nii.gz", ["age=44"])
    exam = source.read()
    assert exam.clinical == {"age": "44"}
    assert np.count_nonzero(exam.mask)


def test_a_mask_and_values_go_with_one_exam_only(exam_folder, training_cohort):
    (source,) = find_exams([exam_folder], [], None, ["age=44"])
    assert source.read().clinical == {"age": "44"}
    with pytest.raises(DataError, match="of one exam"):
        find_exams([training_cohort], [], None, ["age=44"])
    with pytest.raises(DataError, match="three files"):
        find_exams([], [exam_folder / "pre.nii.gz"], None, [])


def test_missing_opengl_library_is_reported_with_its_package(monkeypatch):
    def refuse(name):
        raise OSError(name)

    monkeypatch.setattr(opengl.ctypes, "CDLL", refuse)
    monkeypatch.setattr(opengl.sys, "platform", "linux")
    with pytest.raises(DataError, match=r"libEGL.so.1 is missing: sudo apt-get install -y libegl1"):
        check_possible()


def test_missing_trame_is_reported_with_its_package(monkeypatch):
    monkeypatch.setattr(opengl.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.delitem(sys.modules, "slicer", raising=False)  # of the harness, where the line is Slicer's
    with pytest.raises(DataError, match=r"pip install .*view"):
        check_possible()


@pytest.mark.parametrize("missing", ["aiohttp", "trame_slicer"])
def test_the_command_reports_it_in_one_sentence(missing):
    hidden = f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['pcr', 'view', '--no-browser']"
    words = [sys.executable, "-c", f"{hidden}; from PCRTrainingLib.command_line import main; main()"]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "install them with: " in ended.stderr


def test_rows_of_the_table_without_images_are_reported_with_the_sources(tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 8)
    for k in (0, 1, 2, 3, 4, 6):
        shutil.rmtree(cohort / "images" / f"P{k}")
    (cohort / "clinical_and_imaging_info.xlsx").touch()
    found = find_sources([cohort])
    assert [source.name for source in found] == ["P5", "P7"]
    assert found.said == pickle.loads(pickle.dumps(found)).said  # our own bytes: as it goes to the process of a page
    assert found.said == (
        "clinical_and_imaging_info.csv was read; left aside: clinical_and_imaging_info.xlsx",
        "6 of 8 rows of the table have no images: P0, P1, P2, P3, P4, ...",
    )
