"""All phases of an exam: from memory, files and DICOM, and what is left out."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.curves.phases import load_phases
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Dynamic, Provenance
from PCRPredictorLib.reading.images import read_series
from PCRPredictorLib.writing import write_nifti
from support.dicom_exam import EXAM, write_dicom_exam
from support.examples import tiny_exam

BOX = (slice(2, 5), slice(3, 9), slice(4, 8))


def five_phases(exam, others=None, read=None):
    """An exam whose pre, early and late are the phases 0, 2 and 4 of five."""
    others = others or {1: exam.early + 1, 3: exam.early + 3}
    read = read or (lambda wanted: [others[k] for k in wanted])
    return replace(exam, dynamic=Dynamic(read, (0, 2, 4), 5, (0.0, 60.0, 120.0, 260.0, 400.0)))


def test_an_exam_of_three_phases_gives_three_points():
    phases = load_phases(tiny_exam())
    assert len(phases.arrays) == 3
    assert phases.seconds == (0, 120, 400)
    assert not phases.since_injection


def test_all_phases_are_in_the_order_of_time_and_counted_from_the_injection():
    exam = five_phases(replace(tiny_exam(), provenance=Provenance(phase_times=(0, 120, 400), injection=45)))
    phases = load_phases(exam)
    assert phases.picked == (0, 2, 4)
    assert phases.seconds == (-45, 15, 75, 215, 355)
    assert [int(p.flat[0]) - int(exam.early.flat[0]) for p in phases.arrays[1:4]] == [1, 0, 3]


def test_a_phase_that_cannot_be_used_is_left_out_and_named():
    exam = tiny_exam()
    others = {1: DataError("series 5 has 4 of 10 slices"), 3: exam.early}
    phases = load_phases(five_phases(exam, others))
    assert (len(phases.arrays), phases.picked) == (4, (0, 1, 3))
    assert phases.seconds == (0, 120, 260, 400)
    assert "Phase 2 (--pick 1) is missing from the curves: series 5" in phases.notices[0].message


def test_phases_that_take_too_much_memory_are_left_out_whole_and_read_one_by_one_in_a_box():
    calls, exam = [], tiny_exam()

    def read(wanted):
        calls.append(tuple(wanted))
        return [exam.early for _ in wanted]

    large = five_phases(exam, read=read)
    assert "3 of 5 phases" in load_phases(large, most_bytes=10).notices[0].message
    assert calls == []
    phases = load_phases(large, BOX, most_bytes=10)
    assert calls == [(1,), (3,)]
    assert {array.shape for array in phases.arrays} == {(3, 6, 4)}


def test_a_file_with_five_phases_gives_five_points(tmp_path):
    exam = tiny_exam()
    images = [sitk.GetImageFromArray(exam.pre + 10 * k) for k in range(5)]
    sitk.WriteImage(sitk.JoinSeries(images), str(tmp_path / "all.nii.gz"))
    read = read_series([tmp_path / "all.nii.gz"], pick=(0, 1, 4))
    phases = load_phases(read)
    assert [int(p.flat[0] - exam.pre.flat[0]) for p in phases.arrays] == [0, 10, 20, 30, 40]
    assert phases.seconds is None


def test_a_damaged_file_that_is_not_picked_leaves_out_its_phase(tmp_path):
    exam = tiny_exam()
    files = [tmp_path / f"{k}.nii.gz" for k in range(4)]
    for file in files:
        write_nifti(exam.pre, exam.geometry, file)
    files[2].write_bytes(files[2].read_bytes()[:3000])
    phases = load_phases(read_series(files, pick=(0, 1, 3)))
    assert len(phases.arrays) == 3
    assert "Phase 3 (--pick 2)" in phases.notices[0].message


@pytest.mark.parametrize("style", ["ge", "siemens"])
def test_all_phases_of_a_dicom_folder_are_read(tmp_path, style):
    phases = [EXAM.pre, EXAM.early, EXAM.early + 5, EXAM.late]
    write_dicom_exam(tmp_path, EXAM, style, times=(0, 100, 200, 300), phases=phases)
    found = load_phases(read_dicom_exam(tmp_path, pick=(0, 1, 3)), BOX)
    assert found.seconds == pytest.approx((0, 100, 200, 300))
    for ours, theirs in zip(found.arrays, phases, strict=True):
        np.testing.assert_allclose(ours, theirs[BOX], atol=2)


def test_a_real_exam_has_all_four_phases(real_exam):
    phases = load_phases(read_dicom_exam(real_exam))
    assert phases.seconds == pytest.approx((0, 1371.1, 1492.5, 1736.7), abs=0.1)
    assert phases.notices == ()
