import pytest
from PCRTrainingLib.intake.names import MASK, OTHER, PHASE, UNKNOWN, read_name, split_number


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("T1_pre", (0, 0)),
        ("vor_KM", (0, 0)),
        ("001 nativ", (0, 0)),
        ("T1 avant injection", (0, 0)),
        ("pré", (0, 0)),
        ("T1_post3", (1, 3)),
        ("post-contrast 2", (1, 2)),
        ("post contrast phase 2", (1, 2)),
        ("2nd_post", (1, 2)),
        ("nach", (1, 1)),
        ("T1Post2", (1, 2)),
        ("P07_früh", (1, 0)),
        ("post_early", (1, 0)),
        ("spät", (1, 1000)),
        ("delayed", (1, 1000)),
    ],
)
def test_name_of_a_phase_in_several_languages(name, order):
    said = read_name(name)
    assert (said.kind, said.order) == (PHASE, order)


@pytest.mark.parametrize(
    "name",
    ["mask", "Tumormaske", "001_seg", "ROI", "lésion", "Läsion_2", "masque", "labels", "T1_post1_mask", "máscara"],
)
def test_name_of_a_mask(name):
    assert read_name(name).kind == MASK


@pytest.mark.parametrize("name", ["T2_pre", "sub_post1", "ADC", "post1_MIP", "breast_mask", "dwi", "breastmask"])
def test_name_of_an_image_that_is_no_phase(name):
    assert read_name(name).kind == OTHER


@pytest.mark.parametrize("name", ["sub-001", "dyn0", "Pat 001", "position", "presentation", "segovia street"])
def test_name_that_says_nothing_by_its_words(name):
    assert read_name(name).kind == UNKNOWN


def test_number_at_the_end_is_split_off():
    assert split_number("001_0003") == ("001_", 3)
    assert split_number("t90s") == ("t", 90)
    assert split_number("phase") is None
