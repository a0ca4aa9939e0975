"""Results as DICOM objects: on the source's voxels, readable by others, saying what the prediction says."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.results import write_dicom_results
from PCRPredictorLib.dicom.segmentation import read_segmentation
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES, Exam
from PCRPredictorLib.lesion.colours import tumour_rgb
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.outputs import write_tumour
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.reading.images import read_exam, read_volume
from PCRPredictorLib.reading.mask import add_mask, read_mask
from PCRPredictorLib.writing import write_nifti
from support.dicom_exam import STYLES, errors_in, write_dicom_exam
from support.examples import tiny_prediction, two_lesions

pytest.importorskip("highdicom")
import highdicom as hd
from highdicom.color import CIELabColor

CLINICAL = ["age=47", "hr=positive"]


@pytest.fixture(scope="module")
def exam():
    """A small phantom, in whole numbers as DICOM stores it."""
    exam = make_exam(seed=3, full=False)
    return Exam(*(np.rint(p).astype(np.int16) for p in exam.phases), exam.geometry, exam.mask)


@pytest.fixture(scope="module", params=STYLES)
def results(request, exam, bundle, tmp_path_factory):
    """(folder of the exam, folder of the results) as each vendor would have written the exam."""
    folder = tmp_path_factory.mktemp(request.param)
    write_dicom_exam(folder / "exam", exam, request.param)
    write_nifti(exam.mask, exam.geometry, folder / "mask.nii.gz")
    asked = {
        "--dicom": folder / "exam",
        "--mask": folder / "mask.nii.gz",
        "--model": bundle.path,
        "--out": folder / "out",
    }
    words = [str(word) for pair in asked.items() for word in pair]
    assert run(app, ["predict", *words, "--clinical", *CLINICAL, "--dicom-results"]) == 0
    return folder / "exam", folder / "out"


def test_probability_is_that_of_the_same_exam_as_files(results, exam, bundle):
    plain = replace(exam, clinical=dict(pair.split("=") for pair in CLINICAL))
    expected = Predictor(bundle).predict(plain).probability
    assert json.loads((results[1] / "prediction.json").read_text())["probability"] == pytest.approx(expected, abs=0.001)


def test_segmentation_is_the_mask_on_the_source(results, exam):
    folder, out = results
    read = read_dicom_exam(folder)
    volume = hd.seg.segread(out / "dicom" / "tumour.dcm").get_volume(combine_segments=True)
    index = voxels_of(volume.array > 0, volume.affine, read.geometry)
    expected = np.argwhere(np.asarray(exam.mask) != 0)
    assert sorted(map(tuple, index.round().astype(int).tolist())) == sorted(map(tuple, expected.tolist()))
    assert np.abs(index - index.round()).max() < 0.01


def test_segmentation_is_read_back_as_the_mask(results, bundle, tmp_path):
    folder, out = results
    asked = {
        "--dicom": folder,
        "--mask": out / "dicom" / "tumour.dcm",
        "--model": bundle.path,
        "--out": tmp_path / "again",
    }
    words = [str(word) for pair in asked.items() for word in pair]
    assert run(app, ["predict", *words, "--clinical", *CLINICAL]) == 0
    first, again = (json.loads((path / "prediction.json").read_text()) for path in (out, tmp_path / "again"))
    assert again["probability"] == pytest.approx(first["probability"], abs=1e-6)
    assert again["tumour"]["volume_ml"] == pytest.approx(first["tumour"]["volume_ml"])


def test_segmentation_goes_with_phases_in_other_files_too(results, exam, tmp_path):
    phases = [tmp_path / f"{name}.nii.gz" for name in PHASE_NAMES]
    for array, path in zip(exam.phases, phases, strict=True):
        write_nifti(array, exam.geometry, path)
    read = add_mask(read_exam(phases), results[1] / "dicom" / "tumour.dcm")
    assert np.array_equal(np.asarray(read.mask) != 0, np.asarray(exam.mask) != 0)


@pytest.mark.parametrize("name", ["IM0001", "tumour.seg", "a.nii.gz"])
def test_segmentation_is_known_by_its_content_whatever_its_name(results, exam, tmp_path, name):
    shutil.copy(results[1] / "dicom" / "tumour.dcm", tmp_path / name)
    read = read_mask(tmp_path / name, exam.geometry, [1])
    assert np.array_equal(read != 0, np.asarray(exam.mask) != 0)


def test_missing_segment_is_reported_in_one_sentence(results, exam):
    with pytest.raises(DataError) as caught:
        read_mask(results[1] / "dicom" / "tumour.dcm", exam.geometry, [4])
    assert re.fullmatch(
        r"tumour.dcm: must have label 4, got 1 'Tumour' \(.* ml\); choose one of them", str(caught.value)
    )


def test_mask_of_an_unknown_kind_may_be_a_dicom_segmentation(exam, tmp_path):
    (tmp_path / "mask.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"unknown kind of file; give one of \.nii, .* or as mask a DICOM SEG"):
        read_mask(tmp_path / "mask.png", exam.geometry)


def test_segmentation_of_a_different_exam_is_reported_in_one_sentence(results, exam):
    path = results[1] / "dicom" / "tumour.dcm"
    elsewhere = replace(exam.geometry, origin=(0.0, 0.0, 0.3))
    with pytest.raises(DataError, match=r"must lie on the voxels of the exam, .*; make it on the series"):
        read_segmentation(path, elsewhere)
    with pytest.raises(DataError, match="must be a DICOM Segmentation"):
        read_segmentation(results[1] / "dicom" / "attention.dcm", exam.geometry)


def test_attention_lies_on_the_source_within_half_a_voxel(results):
    folder, out = results
    read = read_dicom_exam(folder)
    volume = hd.imread(out / "dicom" / "attention.dcm").get_volume()
    peak = voxels_of(volume.array == volume.array.max(), volume.affine, read.geometry)[0]
    summary = json.loads((out / "prediction.json").read_text())["attention"]
    expected = read.geometry.to_index(np.array(summary["peak"]))[::-1]
    assert np.abs(peak - expected).max() < 0.5
    assert volume.array.max() == pytest.approx(1)


def test_maps_have_a_frame_per_slice_in_the_order_in_which_viewers_lay_them(results):
    geometry = read_dicom_exam(results[0]).geometry
    for name in ("attention", "evidence"):
        frames = pydicom.dcmread(results[1] / "dicom" / f"{name}.dcm").PerFrameFunctionalGroupsSequence
        corners = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames], float)
        along = np.diff(corners @ np.cross(geometry.direction[:, 0], geometry.direction[:, 1]))
        assert len(frames) == geometry.size[2]
        assert along == pytest.approx(geometry.spacing[2], abs=0.01)


def test_evidence_is_a_map_with_its_own_quantity_and_unit_that_adds_up_to_the_image_s_term(results):
    out = results[1]
    item = pydicom.dcmread(out / "dicom" / "evidence.dcm")
    (mapping,) = item.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "{log-odds}"
    assert "EVIDENCE" in str(mapping.QuantityDefinitionSequence)
    values = hd.imread(out / "dicom" / "evidence.dcm").get_volume().array
    terms = json.loads((out / "prediction.json").read_text())["evidence"]["terms"]
    image = next(term["log_odds"] for term in terms if term["kind"] == "image")
    assert values.sum(dtype=float) == pytest.approx(image, abs=1e-4)
    report = pydicom.dcmread(out / "dicom" / "report.dcm")
    texts = [str(element.value) for element in report.iterall() if element.keyword == "TextValue"]
    assert any(re.match(r"Age \(47 years\): [+-]\d\.\d{3} log-odds, [+-][\d.]+ percentage points", t) for t in texts)
    assert item.SOPInstanceUID in [each.value for each in report.iterall() if each.VR == "UI"]


def test_report_holds_the_numbers_of_the_prediction(results):
    out = results[1]
    report = hd.sr.srread(out / "dicom" / "report.dcm")
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    found = {m.name.value: m.value for m in group.get_measurements()}
    prediction = json.loads((out / "prediction.json").read_text())
    assert found["PCR_PROBABILITY"] == pytest.approx(prediction["probability"], abs=1e-5)
    assert found["118565006"] == pytest.approx(prediction["tumour"]["volume_ml"], rel=1e-4)
    tumour = pydicom.dcmread(out / "dicom" / "tumour.dcm")
    assert tumour.SOPInstanceUID in str(report.ContentSequence)
    assert group.tracking_uid == tumour.SegmentSequence[0].TrackingUID


def test_a_different_reader_finds_segment_map_and_measurements(results, exam, tmp_path):
    tools = Path(sys.executable).parent
    if not (tools / "segimage2itkimage").exists():
        pytest.skip("needs dcmqi")
    inside = results[1] / "dicom"
    for name, tool in (("tumour", "segimage2itkimage"), ("attention", "paramap2itkimage")):
        (tmp_path / name).mkdir()
        words = ["--inputDICOM", inside / f"{name}.dcm", "--outputDirectory", tmp_path / name, "--outputType", "nii"]
        subprocess.run([tools / tool, *words], check=True, capture_output=True)
    tumour = read_volume(next((tmp_path / "tumour").glob("*.nii.gz")))[0]
    assert np.count_nonzero(tumour) == np.count_nonzero(exam.mask)
    assert read_volume(next((tmp_path / "attention").glob("*.nii.gz")))[0].max() == pytest.approx(1)
    words = ["--inputDICOM", inside / "report.dcm", "--outputMetadata", tmp_path / "report.json"]
    subprocess.run([tools / "tid1500reader", *words], check=True, capture_output=True)
    (group,) = json.loads((tmp_path / "report.json").read_text())["Measurements"]
    values = {item["quantity"]["CodeValue"]: float(item["value"]) for item in group["measurementItems"]}
    expected = json.loads((results[1] / "prediction.json").read_text())["probability"]
    assert values["PCR_PROBABILITY"] == pytest.approx(expected, abs=1e-5)


def test_a_validator_finds_no_error(results):
    for path in (results[1] / "dicom").iterdir():
        assert errors_in(path) == []


def test_patient_and_study_are_the_source_s(results):
    folder, out = results
    source = pydicom.dcmread(next(folder.iterdir()), stop_before_pixels=True)
    for path in (out / "dicom").iterdir():
        item = pydicom.dcmread(path)
        for name in ("PatientID", "PatientName", "StudyInstanceUID"):
            assert getattr(item, name) == getattr(source, name)
        assert item.SeriesInstanceUID != source.SeriesInstanceUID
        assert "research use only" in item.SeriesDescription


def test_exam_that_is_not_from_dicom_is_refused_at_once(tmp_path, capsys):
    words = ["--phases", "a", "b", "c", "--out", str(tmp_path / "out"), "--dicom-results"]
    assert run(app, ["predict", *words]) == 2
    assert "--dicom-results needs an exam from --dicom" in " ".join(capsys.readouterr().err.split())


def voxels_of(chosen, affine, geometry):
    """Indices (n, 3), in the exam's order k, j, i, of the chosen voxels of a volume in LPS."""
    index = np.argwhere(chosen)
    return geometry.to_index(index @ affine[:3, :3].T + affine[:3, 3])[:, ::-1]


def test_lesions_are_segments_with_a_measurement_group_each(exam, tmp_path):
    write_dicom_exam(tmp_path / "exam", exam, STYLES[0])
    read = two_lesions(replace(read_dicom_exam(tmp_path / "exam"), mask=exam.mask))
    write_dicom_results(read, tiny_prediction(read), tmp_path)
    found = hd.seg.segread(tmp_path / "tumour.dcm")
    assert [found.get_segment_description(n).segment_label for n in found.segment_numbers] == ["right", "left"]
    report = hd.sr.srread(tmp_path / "report.dcm")
    assert len(report.content.get_volumetric_roi_measurement_groups()) == 2
    colours = [CIELabColor.from_dicom_value(s.RecommendedDisplayCIELabValue).to_rgb() for s in found.SegmentSequence]
    assert np.array(colours) / 255 == pytest.approx(np.array([tumour_rgb(0), tumour_rgb(1)]), abs=0.01)
    for n, lesion in enumerate(read.lesions, 1):
        assert np.array_equal(read_mask(tmp_path / "tumour.dcm", read.geometry, [n]), lesion.mask != 0)


def test_tumour_alone_is_written_and_read_back(exam, tmp_path):
    write_dicom_exam(tmp_path / "exam", exam, STYLES[0])
    read = replace(read_dicom_exam(tmp_path / "exam"), mask=exam.mask)
    write_tumour(read, tmp_path / "mine.dcm")
    assert np.array_equal(read_mask(tmp_path / "mine.dcm", read.geometry), exam.mask != 0)
