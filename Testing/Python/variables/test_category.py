"""A category whose cells may name several things at once."""

import pytest
from PCRPredictorLib.variables.category import Category

DRUG = Category("drug", "Drug", {"antibody": ["trastuzumab"], "platinum": ["carboplatin"], "taxane": []}, combined=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [("Taxane", "taxane"), ("taxane + Carboplatin", "platinum"), ("carboplatin/taxane and trastuzumab", "antibody")],
)
def test_first_of_the_list_counts_in_a_combination(text, value):
    assert DRUG.parse(text) == value


@pytest.mark.parametrize("text", ["taxane + magic", "no taxane", "+"])
def test_combination_with_an_unknown_part_is_refused(text):
    with pytest.raises(ValueError):
        DRUG.parse(text)
