import shutil

import numpy as np
import pytest
import torch
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.grid import GridSpec
from PCRTrainingLib.cohort.cache import open_or_build, read_cache
from PCRTrainingLib.schema import USUAL, build_schema
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
