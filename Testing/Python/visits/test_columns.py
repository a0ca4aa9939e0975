"""Names of columns with visits, as several trials write them."""

import pytest
from PCRPredictorLib.visits.columns import number_visits, read_column, words


def _say(name):
    column = read_column(name)
    return column and (column.quantity, column.visit or (column.prefix, column.number), column.unit)


@pytest.mark.parametrize(
    ("name", "quantity", "visit", "unit"),
    [
        ("functional_volume_ml_T0", "functional_volume_ml", ("t", 0), "ml"),
        ("ftv_ml_T0", "functional_volume_ml", ("t", 0), "ml"),
        ("longest_diameter_cm_T1", "longest_diameter_mm", ("t", 1), "cm"),
        ("bpe_percent_T2", "background_enhancement_percent", ("t", 2), "percent"),
        ("MRI LD Baseline", "longest_diameter_mm", "T0", None),
        ("MRI LD 1-3dAC", "longest_diameter_mm", "T1", None),
        ("MRI LD InterReg", "longest_diameter_mm", "T2", None),
        ("MRI LD PreSurg", "longest_diameter_mm", "T3", None),
        ("T1_LD_mm", "longest_diameter_mm", ("t", 1), "mm"),
        ("LD (cm) V2", "longest_diameter_mm", ("v", 2), "cm"),
        ("size_week3", "longest_diameter_mm", "T1", None),
        ("FTV (mm3) week 12", "functional_volume_ml", "T2", "mm3"),
        ("LD_day22_mm", "longest_diameter_mm", "T1", "mm"),
        ("diameter_post_mm", "longest_diameter_mm", "T3", "mm"),
        ("LongestDiameterT1", "longest_diameter_mm", ("t", 1), None),
        ("ld_1_cm_", "longest_diameter_mm", ("", 1), "cm"),
    ],
)
def test_name_says_quantity_visit_and_unit(name, quantity, visit, unit):
    assert _say(name) == (quantity, visit, unit)


@pytest.mark.parametrize(
    "name",
    ["FTV_T1_change", "volume_T0", "clinical_size_pre", "path_size_cm", "patient_size", "slice_thickness", "HR Pos"]
    + ["LD_T1_%", "LD T1 pct of baseline", "FTV_T0_pct", "Mean diameter T0 mm", "min_diameter_T1_mm"],
)
def test_other_names_are_no_measurement(name):
    assert read_column(name) is None


def test_third_diameter_in_mm_is_no_volume():
    assert [read_column(f"LD_mm_{k}").number for k in (1, 2, 3)] == [1, 2, 3]
    assert read_column("FTV_T0_mm_3").unit == "mm3"


def test_weeks_are_read_before_and_after_their_number():
    for name in ("Durchmesser nach 3 Wochen (cm)", "LD weeks 3 mm", "taille mm 3 semaines", "LD mm 3 wks"):
        assert read_column(name).visit == "T1"


def test_visits_are_numbered_from_the_first_that_there_is():
    from_one = [read_column(f"LD V{k} mm") for k in (1, 2, 3, 4)]
    from_zero = [read_column(f"ftv{k}") for k in (0, 1, 2, 3)]
    assert list(number_visits(from_one).values()) == ["T0", "T1", "T2", "T3"]
    assert number_visits(from_zero) == {("", 0): "T0", ("", 1): "T1", ("", 2): "T2", ("", 3): "T3"}


def test_numbers_beside_a_baseline_are_those_of_later_visits():
    columns = [read_column(name) for name in ("LD baseline mm", "LD MRI 1 mm", "LD MRI 2 mm")]
    assert number_visits(columns) == {("mri", 1): "T1", ("mri", 2): "T2"}


def test_our_own_names_of_visits_keep_their_meaning_without_the_first():
    assert number_visits([read_column("LD_T1_mm"), read_column("LD_T2_mm")]) == {("t", 1): "T1", ("t", 2): "T2"}


def test_cycle_of_treatment_is_no_visit_but_the_first_is_early():
    assert read_column("LD mm cycle 4").number is None
    assert read_column("LD mm after 1 cycle").visit == "T1"


def test_more_than_four_visits_are_not_placed():
    assert number_visits([read_column(f"LD mm V{k}") for k in range(6)]) is None


def test_signs_and_capitals_divide_words():
    assert words("MRI LD 1-3dAC") == "mri ld 1 3 d ac"
