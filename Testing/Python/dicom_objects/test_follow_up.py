"""A follow-up as DICOM objects: each visit's tumour in its own study, one report in the last."""

import re
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.codes import short_code
from PCRPredictorLib.dicom.objects.follow_up import REPORT, segment_name, write_dicom_follow_up
from PCRPredictorLib.errors import DataError, Notice
from PCRPredictorLib.response.course import Course, VisitValues
from support.dicom_exam import errors_in, write_dicom_exam
from support.documentation import ROOT, inline
from support.examples import BLOCKING, tiny_exam
from support.follow.examples import tiny_course, tiny_prediction

pytest.importorskip("highdicom")
import highdicom as hd

TINY = tiny_exam(size=(12, 10, 6))
STUDIES = ("1.2.3.10", "1.2.3.11", "1.2.3.12")


@pytest.fixture(scope="module")
def exams(tmp_path_factory):
    """Three exams of the left breast from DICOM, each in a study of its own; at the last the tumour is gone."""
    found = []
    for uid in STUDIES:
        folder = tmp_path_factory.mktemp("exam")
        write_dicom_exam(folder, TINY, "ge", StudyInstanceUID=uid, ImageLaterality="L")
        found.append(replace(read_dicom_exam(folder), mask=TINY.mask))
    return [*found[:2], replace(found[2], mask=np.zeros_like(TINY.mask))]


@pytest.fixture(scope="module")
def course(exams):
    """Three visits; at the last the tumour is gone."""
    course = tiny_course(3, exams)
    gone = replace(course.visits["T2"], values=VisitValues(0.0, 0.0, gone=True))
    return Course({**course.visits, "T2": gone}, course.clinical, course.patient_id)


@pytest.fixture(scope="module")
def results(course, tmp_path_factory):
    """The folder with the objects."""
    folder = tmp_path_factory.mktemp("objects")
    write_dicom_follow_up(course, tiny_prediction(course), folder)
    return folder


@pytest.fixture(scope="module")
def groups(results):
    """The measurement groups of the report, in the order of the visits."""
    content = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(results / REPORT)).content
    return [*content.get_volumetric_roi_measurement_groups(), *content.get_image_measurement_groups()]


def test_objects_have_no_errors(results):
    files = sorted(results.iterdir())
    assert [file.name for file in files] == [REPORT, segment_name("T0"), segment_name("T1")]
    assert [line for file in files for line in errors_in(file)] == []


def test_each_tumour_is_in_its_visits_study_and_the_report_in_the_last(results):
    studies = [
        pydicom.dcmread(results / name).StudyInstanceUID for name in (segment_name("T0"), segment_name("T1"), REPORT)
    ]
    assert studies == list(STUDIES)


def test_report_refers_to_every_study(results):
    report = pydicom.dcmread(results / REPORT)
    items = [*report.CurrentRequestedProcedureEvidenceSequence, *report.PertinentOtherEvidenceSequence]
    assert {item.StudyInstanceUID for item in items} == set(STUDIES)


def test_groups_follow_one_tumour_over_the_time_points(groups, results):
    segment = pydicom.dcmread(results / segment_name("T1")).SegmentSequence[0]
    assert {group.tracking_uid for group in groups} == {segment.TrackingUID}
    found = [texts_of(group, ("126072", "126073", "126071", "128740")) for group in groups]
    assert found == [
        {"126072": "Baseline", "126073": 1, "126071": "T0", "128740": 0},
        {"126073": 2, "126071": "T1", "128740": 22},
        {"126073": 3, "126071": "T2", "128740": 80},
    ]


def test_quantities_have_published_codes_where_there_are_some(groups):
    first = {(item.name.scheme_designator, item.name.value): item.value for item in groups[0].get_measurements()}
    assert first["SCT", "103339001"] == 34.0
    assert first["99BREASTPCR", "SPHERICI_FACES"] == pytest.approx(0.62)
    assert first["99BREASTPCR", "FUNCTION_VOLUME"] == pytest.approx(12.4)
    assert {value for scheme, value in first if scheme == "99BREASTPCR"} <= set(
        inline(ROOT / "Resources/Docs/dicom.md")
    )


def test_a_tumour_that_is_gone_has_values_of_0_on_its_images(groups):
    values = {item.name.value: item.value for item in groups[2].get_measurements()}
    found = [values.get(code) for code in ("FUNCTION_VOLUME", "103339001", "SPHERICI_FACES")]
    assert found == [0.0, 0.0, None]
    assert len(groups[2].source_images) == TINY.geometry.size[2]


def test_probability_is_that_after_each_visit(groups):
    found = [{m.name.value: m.value for m in group.get_measurements()}["PCR_PROBABILITY"] for group in groups]
    assert found == pytest.approx([0.31, 0.46, 0.63])


def test_warnings_are_in_the_group_of_their_visit(course, groups, tmp_path):
    assert [bool(texts_of(group, ("EXAMPLE",))) for group in groups] == [False, True, False]
    write_dicom_follow_up(course, tiny_prediction(course, (BLOCKING,)), tmp_path)
    content = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(tmp_path / REPORT)).content
    (last,) = content.get_image_measurement_groups()
    assert texts_of(last, ("WHY_WITHHELD",)) == {"WHY_WITHHELD": BLOCKING.message}


def test_warnings_about_the_course_and_clipped_values_are_in_the_report(course, tmp_path):
    clipped = [Notice(f"clipped_functional_volume_ml_{name}_since_T0", f"Clipped at {name}.") for name in ("T1", "T2")]
    write_dicom_follow_up(course, tiny_prediction(course, clipped), tmp_path, [Notice("visits_close", "Too close.")])
    texts = all_texts(tmp_path)
    assert ("VISITS_CLOSE", "Too close.") in texts
    assert {("CLIPPED", "Clipped at T1."), ("CLIPPED", "Clipped at T2.")} <= texts


def test_codes_of_warnings_about_visits_stay_apart_when_they_are_cut():
    text = (ROOT / "Resources/Docs/files.md").read_text(encoding="utf-8")
    part = text[text.index("### Warnings about several visits") : text.index("## Clinical values")]
    rows = re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
    codes = [code for row in rows for code in re.findall(r"`(\w+)`", row)]
    assert len({short_code(code) for code in codes}) == len(codes) > 15


def test_an_earlier_visit_from_a_table_has_a_group_without_images(course, tmp_path):
    visits = {**course.visits, "T0": replace(course.visits["T0"], exam=None)}
    write_dicom_follow_up(Course(visits), None, tmp_path)
    assert errors_in(tmp_path / REPORT) == []
    content = hd.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(tmp_path / REPORT)).content
    assert len(content.get_image_measurement_groups()) == 2


def test_the_last_visit_must_have_images_from_dicom(course):
    visits = {**course.visits, "T2": replace(course.visits["T2"], exam=None)}
    with pytest.raises(DataError, match="go with the last visit, T2, which has no images"):
        write_dicom_follow_up(Course(visits), None, None)


def all_texts(folder):
    """Return code and text of every text of the report."""
    groups = pydicom.dcmread(folder / REPORT).ContentSequence[-1].ContentSequence
    items = [item for group in groups for item in group.ContentSequence if item.ValueType == "TEXT"]
    return {(item.ConceptNameCodeSequence[0].CodeValue, item.TextValue) for item in items}


def texts_of(group, names):
    """Map each of these codes to its value in a group."""
    found = {}
    for item in group[0].ContentSequence:
        if item.name.value in names:
            value = item.value
            found[item.name.value] = getattr(value, "meaning", value)
    return found
