import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PCRPredictorLib.errors import DataError, Problem
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.writing import write_nifti
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.cohort.cache import GridCache, read_cache, report_left_out
from PCRTrainingLib.config import PRESETS
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.schema import USUAL, build_schema
from PCRTrainingLib.training.folds import Prepared
from support.training_cohort import read_table, write_table

GRID = GridSpec()


def build(cohort, folder):
    schema, _ = build_schema(USUAL, read_table(cohort))
    return open_or_build(cohort, folder, GRID, schema)


@pytest.fixture
def cohort(training_cohort, tmp_path):
    shutil.copytree(training_cohort, tmp_path / "copy")
    return tmp_path / "copy"


def test_cache_returns_the_grids_of_the_patients_asked_for(training_cohort, tmp_path):
    cache = build(training_cohort, tmp_path / "cache")
    image, mask = cache.image_and_mask(np.array([3, 0]))
    assert image.shape == (2, 3, *GRID.shape)
    assert mask.shape == (2, 1, *GRID.shape)
    inside = (image[:, 1:2] * mask).sum((1, 2, 3, 4)) / mask.sum((1, 2, 3, 4))
    assert inside[0] > inside[1]  # patient 3 has pCR, whose tumours enhance more


def test_existing_cache_is_read_and_not_built_again(training_cohort, tmp_path):
    first = build(training_cohort, tmp_path / "cache")
    made = (tmp_path / "cache" / "grids.f16").stat().st_mtime_ns
    second = build(training_cohort, tmp_path / "cache")
    assert (tmp_path / "cache" / "grids.f16").stat().st_mtime_ns == made
    assert second.records == first.records


def test_corrupt_image_excludes_only_its_patient(cohort, tmp_path):
    file = cohort / "images" / "P4" / "p4_0001.nii.gz"
    file.write_bytes(file.read_bytes()[:200])
    cache = build(cohort, tmp_path / "cache")
    assert len(cache) == 15
    assert [(problem.patient_id, "p4_0001.nii.gz" in problem.reason) for problem in cache.quarantine] == [("P4", True)]


def test_clinical_vectors_follow_the_schema(training_cohort, tmp_path):
    schema, absent = build_schema(USUAL, read_table(training_cohort))
    assert absent == ["her2"]
    cache = build(training_cohort, tmp_path / "cache")
    vectors = cache.encode(schema)
    assert vectors.shape == (16, schema.width)
    assert torch.equal(vectors[0, -2:], torch.tensor([1.0, 0.0]))  # peri counts as pre


def test_changed_cohort_is_refused(cohort, tmp_path):
    build(cohort, tmp_path / "cache")
    rows = read_table(cohort)
    rows[2]["pcr"] = "1"
    write_table(cohort, rows)
    with pytest.raises(DataError, match=r"has changed since the run began .a different label for P2"):
        build(cohort, tmp_path / "cache")
    shutil.rmtree(cohort / "images" / "P5")
    with pytest.raises(DataError, match="1 patient added or removed, the first is P5"):
        build(cohort, tmp_path / "cache")


def test_damaged_cache_is_reported(training_cohort, tmp_path):
    build(training_cohort, tmp_path / "cache")
    (tmp_path / "cache" / "grids.f16").write_bytes(b"short")
    with pytest.raises(DataError, match="cached grids are damaged"):
        read_cache(tmp_path / "cache")


def test_nothing_is_left_of_a_cache_that_does_not_fit_on_the_disk(training_cohort, small_disk):
    with pytest.raises(DataError, match="no space left"):
        build(training_cohort, small_disk / "cache")
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("file", ["images/P3/p3_0001.nii.gz", "segmentations/expert/p3.nii.gz"])
def test_changed_image_or_mask_is_refused_and_named(cohort, tmp_path, file):
    build(cohort, tmp_path / "cache")
    shutil.copy(cohort / file.replace("3", "5"), cohort / file)
    with pytest.raises(DataError, match=rf"has changed since the run began \({file} has other content\); restore it"):
        build(cohort, tmp_path / "cache")


def test_copy_with_other_times_is_the_same_cohort(cohort, tmp_path):
    first = build(cohort, tmp_path / "cache")
    for file in cohort.rglob("*.nii.gz"):
        file.write_bytes(file.read_bytes())
    assert build(cohort, tmp_path / "cache").records == first.records


def test_changed_clinical_value_is_refused(cohort, tmp_path):
    build(cohort, tmp_path / "cache")
    rows = read_table(cohort)
    rows[2]["age"], rows[3]["site"] = "77", "elsewhere"
    write_table(cohort, rows)
    with pytest.raises(DataError, match=r"a different age for P2"):
        build(cohort, tmp_path / "cache")


def test_patient_left_out_that_was_mended_since_is_reported(cohort, tmp_path):
    file = cohort / "images" / "P4" / "p4_0001.nii.gz"
    content = file.read_bytes()
    file.write_bytes(content[:200])
    build(cohort, tmp_path / "cache")
    file.write_bytes(content)
    progress, said = Progress(), []
    progress.say = said.append
    assert (
        len(open_or_build(cohort, tmp_path / "cache", GRID, build_schema(USUAL, read_table(cohort))[0], progress)) == 15
    )
    assert said == [
        "1 patient left out of this run changed since it began (P4); start a run in a new folder to train on them"
    ]


def write_both_sides(cohort):
    """Give P4 a large tumour in one breast and a small one in the other."""
    wide, tumour = Geometry((140, 32, 6), (2.0, 2.0, 4.0)), np.zeros((6, 32, 140), np.uint8)
    tumour[2:4, 14:18, 14:18] = tumour[2:5, 10:18, 116:124] = 1
    rng = np.random.default_rng(0)
    for phase in range(3):
        image = rng.integers(50, 60, wide.shape) + 50 * (phase > 0) * tumour
        write_nifti(image.astype(np.uint8), wide, cohort / "images" / "P4" / f"p4_{phase:04d}.nii.gz")
    write_nifti(tumour, wide, cohort / "segmentations" / "expert" / "p4.nii.gz")


def test_mask_on_both_sides_costs_its_patient(cohort, tmp_path):
    write_both_sides(cohort)
    cache = build(cohort, tmp_path / "cache")
    assert [problem.patient_id for problem in cache.quarantine] == ["P4"]
    assert "2 tumours" in cache.quarantine[0].reason
    assert cache.image_and_mask(np.arange(15))[1].amax((1, 2, 3, 4)).min() > 0


@pytest.fixture
def each(cohort, tmp_path):
    write_both_sides(cohort)
    (cohort / "cohort.json").write_text('{"lesions": "each"}')
    return build(cohort, tmp_path / "cache")


def test_each_tumour_is_a_row_and_the_largest_stands_for_the_patient(each):
    assert (len(each), len(each.lesions), each.lesions[0].patient_id) == (16, 1, "P4")
    assert each.owners.tolist() == [*range(16), each.ids.index("P4")]
    _, mask = each.image_and_mask(np.array([each.ids.index("P4"), 16]))
    large, small = mask.sum((1, 2, 3, 4)).tolist()
    assert large > 2 * small > 0


def test_tumours_of_one_patient_are_never_on_two_sides(each):
    schema, _ = build_schema(USUAL, [record.row for record in each.records])
    data = Prepared(each, schema, np.arange(16) // 2 % 2)
    config = replace(PRESETS["full"], validation=0.3)
    here, there = data.fold(0, config), data.fold(1, config)
    assert each.ids.index("P4") in there.held_out
    assert 16 not in there.train
    assert 16 in here.train
    assert not {16} & {*here.held_out, *there.held_out, *here.validation, *there.validation}
    assert here.clinical.shape[0] == there.clinical.shape[0] == 17


def test_lesions_that_count_on_their_own_only_since_the_run_began_are_refused(cohort, tmp_path):
    build(cohort, tmp_path / "cache")
    (cohort / "cohort.json").write_text('{"lesions": "each"}')
    with pytest.raises(DataError, match=r"cohort.json says something else about the masks of P0"):
        build(cohort, tmp_path / "cache")


def test_patients_left_out_are_named_with_the_reason():
    said = []
    progress = SimpleNamespace(say=said.append)
    problems = (Problem("P1", "is damaged"), Problem("P2", "is damaged"), Problem("P3", "has no label"))
    report_left_out(GridCache(Path(), GridSpec(), (), problems), progress, ", see the list")
    report_left_out(GridCache(Path(), GridSpec(), (), ()), progress)
    assert said == [
        "3 of 3 patients left out, see the list",
        "  2 patients: is damaged (P1, P2)",
        "  P3: has no label",
    ]
