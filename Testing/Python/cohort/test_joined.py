"""Several cohorts as one cache: positions, identifiers and other tumours stay right."""

import pickle
import shutil

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.grid import GridSpec
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.cohort.cache import training_hashes
from PCRTrainingLib.cohort.check import identifier_hashes
from PCRTrainingLib.cohort.joined import join_caches, patients_of
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.schema import USUAL, build_schema
from support.training_cohort import read_table, write_cohort

GRID = GridSpec(size=16, slices=4)


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joined")
    return {name: write_cohort(folder / name, 4, seed=seed) for name, seed in (("north", 0), ("south", 500))}


@pytest.fixture(scope="module")
def parts(cohorts, tmp_path_factory):
    folder, schema = tmp_path_factory.mktemp("caches"), build_schema(USUAL, read_table(cohorts["north"]))[0]
    return [open_or_build(path, folder / name, GRID, schema, name=name) for name, path in cohorts.items()]


@pytest.fixture(scope="module")
def joined(parts):
    return join_caches(parts[0].folder.parent, parts)


def test_images_are_those_of_the_parts_in_any_order(joined, parts):
    image, mask = joined.image_and_mask(np.array([5, 0, 7]))
    for place, (part, position) in enumerate([(parts[1], 1), (parts[0], 0), (parts[1], 3)]):
        own, own_mask = part.image_and_mask(np.array([position]))
        assert (image[place] == own[0]).all()
        assert (mask[place] == own_mask[0]).all()


def test_equal_identifiers_are_told_apart_and_reported(parts):
    progress, messages = Progress(), []
    progress.say = messages.append
    joined = join_caches(parts[0].folder.parent, parts, progress)
    assert joined.ids == [f"{name}/P{k}" for name in ("north", "south") for k in range(4)]
    assert "4 identifiers in two cohorts or more (P0, P1, P2, P3)" in messages[0]
    assert training_hashes(joined)[1] == sorted({mark for k in range(4) for mark in identifier_hashes(f"P{k}")})


def test_cohort_is_a_column(joined):
    assert joined.column("cohort").tolist() == ["north"] * 4 + ["south"] * 4
    assert patients_of(joined) == {name: {"p0", "p1", "p2", "p3"} for name in ("north", "south")}


def test_another_process_reads_the_same(joined):
    again = pickle.loads(pickle.dumps(joined))
    assert again.ids == joined.ids
    assert (again.image_and_mask(np.arange(8))[0] == joined.image_and_mask(np.arange(8))[0]).all()


def test_patient_in_two_cohorts_is_refused(cohorts, parts, tmp_path):
    copy = shutil.copytree(cohorts["north"], tmp_path / "copy")
    schema = build_schema(USUAL, read_table(copy))[0]
    again = open_or_build(copy, tmp_path / "cache", GRID, schema, name="copy")
    with pytest.raises(DataError, match=r"north and copy share the images of 4 patients \(P0 in north is P0 in copy"):
        join_caches(tmp_path, [parts[0], again])
