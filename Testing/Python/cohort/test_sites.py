"""Sites: named by a column per cohort, left out whole; what is small or unknown is reported."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.cohort.sites import OTHERS, find_sites, leave_sites_out, site_columns
from PCRTrainingLib.cohort.splits import EXCLUDED, NEVER
from PCRTrainingLib.config import PRESETS, SplitConfig

COLUMNS = {"trial": "manufacturer", "duke": "cohort"}


def patients(*sites):
    """Four patients of each site, of whom every other one has pCR; "duke" is a cohort, the others are scanners."""
    rows = [("duke", {}) if name == "duke" else ("trial", {"manufacturer": name}) for name in sites for _ in range(4)]
    return rows, np.arange(len(rows)) % 2


def test_sites_are_named_by_cohort_and_value():
    found = find_sites(COLUMNS, *patients("GE", "Philips", "duke"))
    assert found.measured == ("duke", "trial: GE", "trial: Philips")
    assert leave_sites_out(found).tolist() == [1] * 4 + [2] * 4 + [0] * 4


def test_spellings_of_a_value_are_one_site():
    rows, labels = patients("GE", "GE", "ge ", "Philips")
    found = find_sites({"trial": "manufacturer"}, rows, labels)
    assert found.measured == ("GE", "Philips")
    assert found.of_row("trial", {"manufacturer": "Ge"}) == "GE"


def test_small_sites_are_taken_together_and_reported():
    rows, labels = patients("GE", "duke")
    small = [("trial", {"manufacturer": name}) for name in ("Toshiba", "Hitachi", "Toshiba", "Hitachi")]
    found = find_sites(COLUMNS, [*rows, *small], np.array([*labels, 1, 0, 1, 0]))
    assert found.measured == ("duke", "trial: GE", OTHERS)
    assert "2 sites with fewer than 2 patients of a class, together called others (4 patients" in found.remarks[0]
    assert (
        found.of_row("trial", {"manufacturer": "toshiba"}) == found.of_row("trial", {"manufacturer": "new"}) == OTHERS
    )


def test_a_site_may_need_more_patients_of_each_class():
    rows, labels = patients("GE", "GE", "Philips", "Hitachi", "duke", "duke")
    found = find_sites(COLUMNS, rows, labels, least=4)
    assert found.measured == ("duke", "trial: GE", OTHERS)
    assert "2 sites with fewer than 4 patients of a class" in found.remarks[0]


def test_others_that_cannot_be_measured_are_always_trained_on():
    rows, labels = patients("GE", "duke")
    found = find_sites(COLUMNS, [*rows, ("trial", {"manufacturer": "Toshiba"})], np.array([*labels, 1]))
    assert leave_sites_out(found)[-1] == NEVER
    assert "they are always trained on" in found.remarks[0]


def test_patient_of_unknown_site_takes_no_part_and_is_reported():
    rows, labels = patients("GE", "duke")
    found = find_sites(COLUMNS, [*rows, ("trial", {"manufacturer": " "})], np.array([*labels, 1]))
    assert leave_sites_out(found)[-1] == EXCLUDED
    assert "1 patient without a site, as the table has no value of manufacturer (trial)" in found.remarks[0]


def test_single_site_cannot_be_left_out():
    with pytest.raises(DataError, match="got trial: GE by manufacturer of trial, cohort of duke; give more cohorts"):
        leave_sites_out(find_sites(COLUMNS, *patients("GE")))


def test_missing_column_is_named_with_those_that_are_there():
    rows, labels = patients("GE")
    with pytest.raises(DataError, match=r"trial: its table must have the column vendor .* it has manufacturer"):
        find_sites({"trial": "vendor"}, rows, labels)


def test_columns_are_in_the_order_of_the_cohorts():
    config = replace(PRESETS["full"], split=SplitConfig("sites"))
    assert site_columns(config, ["a", "b"]) == {"a": "cohort", "b": "cohort"}
    assert site_columns(config, ["a"]) == {"a": "site"}
    assert site_columns(replace(config, sites=("x", "cohort")), ["a", "b"]) == {"a": "x", "b": "cohort"}
    with pytest.raises(DataError, match="one column per cohort, in their order, got 1 for 2 cohorts"):
        site_columns(replace(config, sites=("x",)), ["a", "b"])
