"""The report and the codes of results in DICOM."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from PCRPredictorLib import __version__
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.codes import DEVICE_UID, short_code
from PCRPredictorLib.dicom.objects.results import FILES, write_dicom_results
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.model import notices
from PCRPredictorLib.model.tumour import QUANTITIES
from PCRPredictorLib.prediction import RESEARCH_USE_ONLY
from PCRTrainingLib.schema import KNOWN
from support.dicom_exam import errors_in, write_dicom_exam
from support.documentation import ROOT, blocks, inline
from support.examples import BLOCKING, EXAMPLE_NOTICE, tiny_exam, tiny_prediction

pytest.importorskip("highdicom")
import highdicom as hd

PAGE = ROOT / "Resources" / "Docs" / "dicom.md"
TINY = tiny_exam(size=(12, 10, 6))


def test_report_has_the_operating_point_and_the_warnings(report, prediction):
    codes = {item.name.value: item.value for item in report.get_qualitative_evaluations()}
    assert (codes["OPERATING_POINT"].meaning, codes["DECISION"].value) == ("balanced", "PCR")
    numbers = {item.name.value: item.value for item in report.get_measurements()}
    assert numbers["PCR_THRESHOLD"] == pytest.approx(prediction.operating_point.threshold)
    texts = texts_of(report)
    assert texts["DISCLAIMER"] == [RESEARCH_USE_ONLY]
    assert texts["EXAMPLE"] == [EXAMPLE_NOTICE.message]
    assert texts["ATTENTI_ELSEWHE"] == ["Look elsewhere."]
    assert texts["CLINICAL_VALUE"] == ["Age: 52 years", "Hormone receptors: unknown"]


def test_report_gives_no_decision_that_a_warning_forbids(tiny_folder, tmp_path):
    exam = replace(read_dicom_exam(tiny_folder / "exam"), mask=TINY.mask)
    write_dicom_results(exam, tiny_prediction(TINY, notices=[BLOCKING]), tmp_path)
    content = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(tmp_path / "report.dcm")).content
    (group,) = content.get_volumetric_roi_measurement_groups()
    codes = {item.name.value: item.value for item in group.get_qualitative_evaluations()}
    assert codes["DECISION"].value == "WITHHELD"
    assert texts_of(group)["WHY_WITHHELD"] == [BLOCKING.message]
    assert texts_of(group)["MODEL_AUC"] == ["0.73 (0.67 to 0.79), out of fold"]


def test_report_is_shown_as_text_with_a_line_per_item(dicom_results):
    report = dicom_results["report"]
    assert report.ConceptNameCodeSequence[0].CodeValue == "126002"  # of 126000, OHIF shows only points and lines
    assert {item.value for item in report.iterall() if item.keyword == "ContinuityOfContent"} == {"SEPARATE"}


def test_report_says_in_which_breast(report):
    (site,) = report.finding_sites
    assert (site.value.meaning, site.laterality.meaning) == ("Breast", "Left")


def test_scanner_and_software_are_distinguished(dicom_results):
    report = dicom_results["report"]
    assert report.ContributingEquipmentSequence[0].Manufacturer == "GE MEDICAL SYSTEMS"
    assert (report.ManufacturerModelName, report.SoftwareVersions) == ("BreastPCR", __version__)
    (observer,) = hd.sr.MeasurementReport.from_sequence([report]).get_observer_contexts()
    device = observer.observer_identifying_attributes
    assert (device.uid, device.model_name) == (DEVICE_UID, f"BreastPCR {__version__}")


def test_own_codes_are_short_and_their_scheme_is_named(dicom_results):
    for name in ("attention", "report"):
        used = [e.value for e in dicom_results[name].iterall() if e.keyword in ("CodeValue", "LongCodeValue")]
        assert "ATTENTION" in used or "PCR_PROBABILITY" in used
        assert max(map(len, used)) <= 16
        (scheme,) = dicom_results[name].CodingSchemeIdentificationSequence
        assert scheme.CodingSchemeDesignator == "99BREASTPCR"


def test_codes_of_warnings_stay_apart_when_they_are_cut_and_are_documented():
    source = Path(notices.__file__).read_text(encoding="utf-8")
    known = re.findall(r'Notice\(\s*"(\w+)"', source)
    unfamiliar = [f"unfamiliar_{name}" for name in QUANTITIES]
    clipped = [f"clipped_{name}" for name in KNOWN]
    every = (*known, *unfamiliar, *clipped)
    assert len({short_code(code) for code in every}) == len(every) > 20
    assert {short_code(code) for code in (*known, unfamiliar[0])} <= set(inline(PAGE))


def test_own_codes_are_documented(dicom_results):
    codes = {
        item.CodeValue
        for result in dicom_results.values()
        for element in result.iterall()
        if element.VR == "SQ"
        for item in element.value
        if item.get("CodingSchemeDesignator") == "99BREASTPCR" and "CodeValue" in item
    }
    assert codes - {"EXAMPLE"} <= set(inline(PAGE))
    assert len(codes) > 15


def test_commands_that_check_results_find_no_error(tiny_folder):
    lines = [line for block in blocks(PAGE) for line in block.splitlines() if not line.startswith("pcr ")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if missing := {name for line in lines if not shutil.which(name := line.split()[0], path=path)}:
        pytest.skip(f"needs {', '.join(sorted(missing))}")
    assert len(lines) == 7
    for line in lines:
        words = [shutil.which(line.split()[0], path=path), *line.split()[1:]]
        done = subprocess.run(words, cwd=tiny_folder, capture_output=True, text=True, errors="replace")
        assert done.returncode == 0, done.stderr
        assert not [line for line in done.stderr.splitlines() if line.startswith("Error")], done.stderr


def test_who_drew_the_segment_is_not_claimed_to_be_known(dicom_results):
    (segment,) = dicom_results["tumour"].SegmentSequence
    assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName[:9]) == ("SEMIAUTOMATIC", "Not known")
    assert segment.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeMeaning == "Left"


@pytest.fixture(scope="module")
def prediction():
    """A made-up prediction with two warnings, one of them with a long code."""
    return tiny_prediction(TINY, notices=(EXAMPLE_NOTICE, Notice("attention_elsewhere", "Look elsewhere.")))


@pytest.fixture(scope="module")
def tiny_folder(prediction, tmp_path_factory):
    """A folder with the results of a tiny exam of the left breast where the documentation has them."""
    folder = tmp_path_factory.mktemp("tiny")
    write_dicom_exam(folder / "exam", TINY, "ge", ImageLaterality="L")
    (folder / "result" / "dicom").mkdir(parents=True)
    exam = replace(read_dicom_exam(folder / "exam"), mask=TINY.mask)
    write_dicom_results(exam, prediction, folder / "result" / "dicom")
    return folder


@pytest.fixture(scope="module")
def dicom_results(tiny_folder):
    """These results by name, free of errors."""
    inside = tiny_folder / "result" / "dicom"
    assert [line for name in FILES for line in errors_in(inside / name)] == []
    return {Path(name).stem: pydicom.dcmread(inside / name) for name in FILES}


@pytest.fixture
def report(dicom_results):
    """The measurement group of the report."""
    content = hd.sr.Comprehensive3DSR.from_dataset(dicom_results["report"]).content
    (group,) = content.get_volumetric_roi_measurement_groups()
    return group


def texts_of(group):
    """Map each code to its text."""
    found = {}
    for item in group[0].ContentSequence:
        if item.ValueType == "TEXT":
            found.setdefault(item.name.value, []).append(item.value)
    return found
