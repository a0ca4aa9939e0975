"""DICOM Segmentations of every kind that PACS, Slicer and dcmqi write."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.reading.mask import add_mask, read_mask, read_masks
from support.dicom_exam import EXAM, write_dicom_exam
from support.dicom_segmentation import write_segmentation
from support.examples import OBLIQUE

KINDS = ("BINARY", "FRACTIONAL", "LABELMAP")
K, J, COLUMN = np.indices(OBLIQUE.shape)
TUMOUR = ((abs(K - 2) < 2) & (J < 3) & (COLUMN < 4)).astype(np.uint8)
OTHER = ((K == 5) & (J > 4)).astype(np.uint8)  # slice 4 is empty
BARE = Exam(*np.zeros((3, *OBLIQUE.shape), np.int16), OBLIQUE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("numbers", [(1, 2), (3, 7), (2, 1)])
def test_a_segment_is_read_alone_whatever_its_number_and_the_kind_of_file(tmp_path, kind, numbers):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {numbers[0]: TUMOUR, numbers[1]: OTHER}, kind)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, [numbers[0]]), TUMOUR)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, [numbers[1]]), OTHER)


@pytest.mark.parametrize("kind", KINDS)
def test_several_segments_are_refused_with_names_and_sizes_unless_chosen(tmp_path, kind):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: (TUMOUR, "Tumour"), 4: (OTHER, "Cyst")}, kind)
    with pytest.raises(DataError, match=r"has 2 labels, 1 'Tumour' \(0.107 ml\), 4 'Cyst' \(0.0475 ml\); choose"):
        read_mask(path, OBLIQUE)
    assert [(lesion.name, lesion.label) for lesion in read_masks(path, OBLIQUE, ["all"])] == [
        ("Tumour", 1),
        ("Cyst", 4),
    ]
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, ["cyst"]), OTHER)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_overlapping_segments_are_read_whole(tmp_path, kind):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: TUMOUR, 2: np.ones_like(TUMOUR)}, kind)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, [1]), TUMOUR)
    assert read_mask(path, OBLIQUE, [2]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_frames_may_be_in_any_order_and_empty_ones_missing(tmp_path, kind):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: TUMOUR | OTHER}, kind, order=lambda f: f[::2] + f[1::2])
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), TUMOUR | OTHER)


def test_a_single_slice_is_read_whatever_its_thickness(tmp_path):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: OTHER}, SliceThickness=6, SpacingBetweenSlices=None)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), OTHER)


def test_slices_far_apart_are_read_if_they_are_thin_and_refused_if_they_are_thick(tmp_path):
    apart = (K % 2 == 1).astype(np.uint8)
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: apart}, SpacingBetweenSlices=None)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), apart)
    write_segmentation(path, OBLIQUE, {1: apart}, SpacingBetweenSlices=None, SliceThickness=6)
    with pytest.raises(DataError, match="has a slice every 6 mm"):
        read_mask(path, OBLIQUE)


def test_of_shares_of_voxels_half_and_more_are_tumour_with_a_warning(tmp_path):
    shares = np.where(TUMOUR, 0.5, np.where(OTHER, 0.49, 0))
    read = add_mask(BARE, write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: shares}, "FRACTIONAL"))
    np.testing.assert_array_equal(read.mask, TUMOUR)
    assert [notice.code for notice in read.provenance.notices] == ["mask_fractional"]


def test_rounded_spacing_is_on_the_grid_with_a_warning_and_more_is_refused(tmp_path):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: TUMOUR}, PixelSpacing=[1.1, 0.909])
    read = add_mask(BARE, path)
    np.testing.assert_array_equal(read.mask, TUMOUR)
    assert [notice.code for notice in read.provenance.notices] == ["mask_off_grid"]
    write_segmentation(path, OBLIQUE, {1: TUMOUR}, PixelSpacing=[1.1, 0.96])
    with pytest.raises(
        DataError, match=r"must lie on the voxels of the exam, .*, but lies up to 0.2 voxels beside them"
    ):
        read_mask(path, OBLIQUE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (8, 7, 3), "spacing": (0.9, 1.1, 6.0)}, "has a slice every 6 mm, but the exam every 3 mm; make"),
        ({"size": (8, 7, 12), "spacing": (0.9, 1.1, 1.5)}, "has a slice every 1.5 mm, but the exam every 3 mm; make"),
        (
            {"size": (4, 3, 6), "spacing": (1.8, 2.2, 3.0)},
            "but a pixel of it is 2 x 2 voxels, so that it may be of a different exam",
        ),
        (
            {"size": (16, 14, 6), "spacing": (0.45, 0.55, 3.0)},
            "but a pixel of it is 0.5 x 0.5 voxels, so that it may be of a different exam",
        ),
        ({"size": (9, 7, 6)}, "but reaches beyond them, so that it may be of a different exam"),
        (
            {"origin": (-10.0, 20.0, 6.0)},
            "but lies up to 0.33 voxels beside them, so that it may be of a different exam",
        ),
    ],
)
def test_a_finer_coarser_larger_or_shifted_grid_is_refused_in_a_sentence(tmp_path, change, message):
    own = replace(OBLIQUE, **change)
    path = write_segmentation(tmp_path / "a.dcm", own, {1: np.ones(own.shape, np.uint8)})
    with pytest.raises(DataError, match=message):
        read_mask(path, OBLIQUE)


def test_a_different_patient_than_the_exam_s_is_a_warning_without_names(tmp_path):
    write_dicom_exam(tmp_path / "exam", EXAM, "siemens")
    exam = read_dicom_exam(tmp_path / "exam")
    path = write_segmentation(tmp_path / "a.dcm", EXAM.geometry, {1: EXAM.mask})
    found = pydicom.dcmread(path)
    found.FrameOfReferenceUID = pydicom.dcmread(exam.provenance.files[0]).FrameOfReferenceUID
    for patient, codes in ((exam.provenance.patient_id, []), ("", []), ("OTHER", ["mask_other_patient"])):
        found.PatientID = patient
        found.save_as(path)
        notices = add_mask(exam, path).provenance.notices[len(exam.provenance.notices) :]
        assert [notice.code for notice in notices] == codes
        assert "OTHER" not in str(notices)


def test_segments_of_one_name_are_chosen_by_number(tmp_path):
    segments = {1: EXAM.mask, 2: np.roll(EXAM.mask, 1, axis=2)}
    path = write_segmentation(tmp_path / "a.dcm", EXAM.geometry, segments)
    found = pydicom.dcmread(path)
    for item in found.SegmentSequence:
        item.SegmentLabel = "Tumour"
    found.save_as(path)
    with pytest.raises(DataError, match=r"has several segments named tumour, got 1 'Tumour' .*; choose them by number"):
        read_mask(path, EXAM.geometry, ["tumour"])
    assert np.array_equal(read_mask(path, EXAM.geometry, ["1"]), EXAM.mask)


def test_a_different_frame_of_reference_than_the_exam_s_is_a_warning(tmp_path):
    write_dicom_exam(tmp_path / "exam", EXAM, "siemens")
    exam = read_dicom_exam(tmp_path / "exam")
    own = pydicom.dcmread(exam.provenance.files[0]).FrameOfReferenceUID
    for uid, codes in ((own, []), ("1.2.3.4", ["mask_other_frame"])):
        path = write_segmentation(tmp_path / "a.dcm", exam.geometry, {1: EXAM.mask}, frame_of_reference=uid)
        assert [notice.code for notice in add_mask(exam, path).provenance.notices] == codes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda data: setattr(data, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.4"),
            "must be a DICOM Segmentation, got MR Im",
        ),
        (lambda data: delattr(data, "PixelData"), r"a whole DICOM Segmentation \(it has no PixelData\)"),
        (lambda data: delattr(data, "SegmentSequence"), "must be a whole DICOM Segmentation"),
        (lambda data: data.PerFrameFunctionalGroupsSequence.pop(), "must be a whole DICOM Segmentation"),
        (lambda data: delattr(data.PerFrameFunctionalGroupsSequence[0], "PlanePositionSequence"), "has no position"),
    ],
)
def test_what_is_no_whole_segmentation_is_refused_in_a_sentence(tmp_path, change, message):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: TUMOUR})
    data = pydicom.dcmread(path)
    change(data)
    data.save_as(path)
    with pytest.raises(DataError, match=message):
        read_mask(path, OBLIQUE)


def test_voxels_of_a_segment_that_is_not_described_are_refused(tmp_path):
    path = write_segmentation(tmp_path / "a.dcm", OBLIQUE, {1: TUMOUR, 2: OTHER}, "LABELMAP")
    data = pydicom.dcmread(path)
    del data.SegmentSequence[1]
    data.save_as(path)
    with pytest.raises(DataError, match="has voxels of a segment 2 that it does not describe"):
        read_mask(path, OBLIQUE)


def test_a_segmentation_across_the_slices_of_the_exam_is_laid_on_it(tmp_path):
    """A sagittal exam, segmented on axial planes of the same voxels."""
    across = Geometry((6, 8, 7), (3.0, 0.9, 1.1), OBLIQUE.origin, OBLIQUE.direction[:, [2, 0, 1]])
    path = write_segmentation(tmp_path / "a.dcm", across, {1: TUMOUR.transpose(1, 2, 0)})
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), TUMOUR)
