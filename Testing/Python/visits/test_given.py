"""The visits that a user names."""

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.sources import DicomSource, FilesSource, SeriesSource
from PCRPredictorLib.visits.given import by_visit, source_of, sources_of_studies, with_tumours
from PCRPredictorLib.visits.studies import find_studies
from support.cohort_files import write_patient
from support.examples import write_image
from support.follow_up.visits import small_exam, write_files, write_study


def test_words_are_divided_by_visit_in_the_order_of_time():
    assert by_visit([["t1", "b"], ["T0", "a", "c"]], "--visit", "") == {"T0": ["a", "c"], "T1": ["b"]}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["T5", "a"]], "must be one of T0, T1, T2, T3, got T5"),
        ([["folder", "a"]], "must be one of T0, T1, T2, T3, got folder"),
        ([[""]], "must be one of T0, T1, T2, T3, got nothing"),
        ([["T0", "a"], ["t0", "b"]], "must name each visit once, got t0 again"),
        ([["T0"]], "--visit T0 must be followed by its exam, got nothing"),
        ([["-", "a"]], "must name each visit once"),
    ],
)
def test_visits_that_are_unknown_or_given_twice_are_refused(groups, message):
    with pytest.raises(DataError, match=message):
        by_visit(groups, "--visit", "its exam")


def test_an_exam_may_be_dicom_a_folder_of_phases_one_file_or_three(tmp_path):
    exam = small_exam()
    files = write_files(tmp_path / "folder", exam)
    write_study(tmp_path / "dicom", 0)
    assert isinstance(source_of("T0", [tmp_path / "folder"]), FilesSource)
    assert source_of("T0", [tmp_path / "folder"]).mask == files[3]
    assert isinstance(source_of("T0", [tmp_path / "dicom"]), DicomSource)
    assert isinstance(source_of("T0", files[:3]), FilesSource)
    assert isinstance(source_of("T0", [*files[:3], files[2]]), SeriesSource)


def test_what_is_no_exam_of_one_patient_is_refused_with_the_visit(tmp_path):
    write_patient(tmp_path / "cohort", "A1")
    single = write_image(tmp_path / "single.nii.gz")
    (tmp_path / "empty").mkdir()
    for paths, message in (
        ([tmp_path / "nowhere"], r"T1: .*nowhere: does not exist; check the path, or give a DICOM folder"),
        ([single, single], "T1: an exam must have at least 3 phases, got 2 files"),
        ([tmp_path / "cohort"], r"T1: .*cohort is a cohort of 1; give the exam of one patient"),
        ([single], r"T1: single.nii.gz: must have at least 3 phases"),
        (
            [tmp_path / "cohort", tmp_path],
            r"T1: several paths must be files, got the folder .*cohort; give each visit",
        ),
        ([tmp_path / "empty"], r"T1: .*empty: holds no exam"),
    ):
        with pytest.raises(DataError, match=message):
            source_of("T1", paths)


def test_studies_become_the_exams_of_their_visits(tmp_path):
    for day in (0, 22, 90):
        write_study(tmp_path, day)
    found = sources_of_studies(find_studies(tmp_path), ("T1", "-", "T0"))
    assert list(found) == ["T0", "T1"]
    assert len(found["T0"].files) == 18


def test_a_study_that_cannot_be_read_must_be_left_aside(tmp_path):
    for day in (0, 22):
        write_study(tmp_path / str(day), day)
    next((tmp_path / "22").iterdir()).unlink()
    found = find_studies(tmp_path)
    with pytest.raises(DataError, match=r"T1: the study cannot be read, .* leave it aside with - in --studies"):
        sources_of_studies(found, ("T0", "T1"))
    assert list(sources_of_studies(found, ("T0", "-"))) == ["T0"]


def tumours(tmp_path, **options):
    sources = {name: FilesSource(name=name, phases=()) for name in ("T0", "T1")}
    given = {"masks": {}, "labels": {}, "picks": {}} | options
    return with_tumours(sources, *given.values())


def test_a_tumour_is_a_mask_gone_or_inside_that_of_the_baseline(tmp_path):
    file = write_image(tmp_path / "mask.nii.gz")
    first, second = tumours(tmp_path, masks={"T0": [str(file)], "T1": ["Gone"]}, picks={"T0": ["0", "1", "3"]})
    assert (first.source.mask, first.use, first.source.pick) == (file, "drawn", (0, 1, 3))
    assert (second.source.mask, second.use) == (None, "gone")
    assert tumours(tmp_path, masks={"T1": ["baseline"]})[1].use == "baseline"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"masks": {"T2": ["a"]}}, "--mask T2: T2 has no exam; give one with --visit T2"),
        ({"masks": {"T1": ["a", "b"]}}, "--mask T1 must be one file, gone or baseline, got a b"),
        ({"masks": {"T1": ["nowhere.nii"]}}, r"mask nowhere.nii: does not exist; check the path, or write gone"),
        ({"picks": {"T1": ["0", "x"]}}, "--pick T1 must be three positions of phases"),
        ({"picks": {"T1": ["0", "1", "9" * 5000]}}, "--pick T1 must be three positions of phases"),
    ],
)
def test_masks_and_phases_that_fit_no_visit_are_refused(tmp_path, options, message):
    with pytest.raises(DataError, match=message):
        tumours(tmp_path, **options)
