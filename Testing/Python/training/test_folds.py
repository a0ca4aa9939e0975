"""What a fold trains on when sites are left out."""

from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.clinical import ClinicalSchema
from PCRTrainingLib.cohort.sites import find_sites, leave_sites_out
from PCRTrainingLib.cohort.splits import EXCLUDED
from PCRTrainingLib.training.folds import ClinicalRow, Prepared

SITES = ["GE"] * 4 + ["Philips"] * 4 + ["duke"] * 4


@pytest.fixture
def data():
    patients = [("trial", {"maker": name}) if name != "duke" else ("duke", {}) for name in SITES]
    sites = find_sites({"trial": "maker", "duke": "cohort"}, patients, np.arange(12) % 2)
    records = [SimpleNamespace(cohort=cohort, own_id=f"P{k}") for k, (cohort, _) in enumerate(patients)]
    cache = SimpleNamespace(records=records, __len__=lambda: 12, ids=[])
    rows = [
        ClinicalRow(np.zeros(1), 1, f"R{k}", cohort, site)
        for k, (cohort, site) in enumerate(
            [("trial", "trial: GE"), ("trial", "trial: Philips"), ("duke", "duke"), ("", "rows of more")]
        )
    ]
    return Prepared(cache, ClinicalSchema(()), leave_sites_out(sites), rows, sites)


def test_rows_of_the_site_that_is_left_out_are_never_fitted_on(data):
    used = {data.sites.measured[k]: [row.patient_id for row in data.rows_for(k)] for k in data.fold_numbers}
    assert used == {"duke": ["R0", "R1", "R3"], "trial: GE": ["R1", "R2", "R3"], "trial: Philips": ["R0", "R2", "R3"]}


def test_rows_of_a_site_that_takes_no_part_are_not_fitted_on(data):
    inside = Prepared(data.cache, data.schema, np.where(data.folds == 0, EXCLUDED, data.folds), data.rows, data.sites)
    assert [row.patient_id for row in inside.rows_for(1)] == ["R1", "R3"]


def test_row_of_a_patient_with_images_counts_once_within_its_cohort(data):
    names = [("p0", "trial"), ("p0", "duke"), ("P11", "")]
    rows = [ClinicalRow(np.zeros(1), 1, name, cohort) for name, cohort in names]
    found = Prepared(data.cache, data.schema, data.folds, rows).image_free_rows
    assert [(row.patient_id, row.cohort) for row in found] == [("p0", "duke")]


def test_sites_that_are_left_out_are_recognised(data):
    assert data.leaves_sites_out
    assert not Prepared(data.cache, data.schema, np.arange(12) % 2, (), data.sites).leaves_sites_out
