"""Public docstrings give shapes, units, errors and sources; the rules are in `docstring_rules`."""

from pathlib import Path

import pytest
from support.docstring_rules import problems

ROOT = Path(__file__).parents[3]
FILES = [
    *sorted((ROOT / "PCRPredictor" / "PCRPredictorLib").rglob("*.py")),
    *sorted((ROOT / "PCRPredictor" / "PCRPredictorView").rglob("*.py")),
    *sorted((ROOT / "PCRTraining" / "PCRTrainingLib").rglob("*.py")),
]
SOURCES = {  # rooms and files of formulas and standards: each function gives its source, or the heading does
    **dict.fromkeys(
        (
            "model/attention",
            "PCRTrainingLib/guidance",
            "training/explanation",
            "statistics/metrics",
            "statistics/operating",
            "training/augmentation",
        ),
        "each",
    ),
    **dict.fromkeys(
        (
            "objects/results",
            "dicom/segmentation",
            "model/grid",
            "PCRPredictorLib/enhancement",
            "finding/find",
            "finding/region",
            "model/kinetics",
            "PCRPredictorLib/network",
            "files/meta_image",
            "files/nifti",
            "files/nrrd",
            "model/normalisation",
            "phantom/kinetics",
            "phantom/frame",
            "runs/select",
            "training/balance",
            "training/loop",
        ),
        "heading",
    ),
}
MAKERS = [("incomplete", "OSError")]  # of other files, called where an error is raised
NEVER = {"guess_phases: must name DataError under Raises"}  # it asks for three phases where there are three


def place(file):
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.parametrize("file", FILES, ids=place)
def test_public_docstrings_give_shapes_units_errors_and_sources(file):
    found = problems(file.read_text(encoding="utf-8"), sources=SOURCES.get(place(file)), makers=MAKERS)
    assert set(found) - NEVER == set()


def test_every_listed_file_exists():
    assert {place(file) for file in FILES} >= SOURCES.keys()


GOOD = '''
"""A file. Source: ours."""


def crop(image: np.ndarray, radius: float) -> np.ndarray:
    """The middle of an image, (k, j, i).

    Args:
        image: (k, j, i).
        radius: of what is kept, mm.

    Raises:
        DataError: if nothing is left.
    """
    return _checked(image)


def _checked(image):
    try:
        raise KeyError
    except LookupError:
        raise DataError("image must not be empty") from None


@dataclass
class Map:
    """A map.

    Args:
        values: (N,).

    Raises:
        ValueError: if it is empty.
    """

    values: np.ndarray

    def __post_init__(self):
        if not self.values:
            raise ValueError
'''


def test_a_complete_file_has_no_findings():
    assert problems(GOOD, sources="heading") == []


@pytest.mark.parametrize(
    ("part", "instead", "problem"),
    [
        ("image: (k, j, i).", "image: to crop (or not).", "crop: must give the shape of image"),
        ("of an image, (k, j, i).", "of an image.", "crop: must give the shape of what it returns, np.ndarray"),
        ("kept, mm.", "kept.", "crop: must give the unit of radius"),
        ("DataError: if nothing", "OSError: if nothing", "crop: must name DataError under Raises"),
        ("radius: of", "size: of", "crop: Args must name parameters, got size"),
        ("values: (N,).", "values: many.", "Map: must give the shape of values"),
        ("ValueError: if it", "TypeError: if it", "Map: must name ValueError under Raises"),
        (" Source: ours.", "", "must give a source in its heading"),
    ],
)
def test_a_missing_part_is_found(part, instead, problem):
    assert part in GOOD
    assert problem in problems(GOOD.replace(part, instead), sources="heading")


def test_each_function_of_a_file_of_formulas_gives_its_source():
    assert "crop: must give its source, here or by name in the docstring of its file" in problems(GOOD, sources="each")
    assert problems(GOOD.replace("A file.", "Of `crop`."), sources="each") == []
