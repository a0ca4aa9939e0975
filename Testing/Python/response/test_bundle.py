"""A response model on disk: written and read back, and damage reported in one sentence."""

import json

import pytest
from PCRPredictorLib.bundles.folder import INFERENCE, METADATA, checksums
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.training_marks import to_marks
from PCRPredictorLib.response.bundle import find_response, load_response, write_response_bundle
from support.follow_up.response_model import (
    CARD,
    SCHEMA,
    tiny_course,
    tiny_response,
    tiny_settings,
    write_tiny_response,
)


@pytest.fixture
def path(tmp_path):
    return write_tiny_response(tmp_path / "tiny")


def edit(path, name, change):
    """Change a JSON file of a bundle, with checksums that fit."""
    content = json.loads((path / name).read_text())
    change(content)
    (path / name).write_text(json.dumps(content))
    (path / "checksums.json").write_text(json.dumps(checksums(path)))


def test_a_written_model_reads_back_unchanged_and_predicts_the_same(path):
    found = load_response(path)
    assert (found.card, found.schema, found.settings) == (CARD, SCHEMA, tiny_settings())
    course = tiny_course("T0", "T2")
    assert found.predict(course).last.probability == tiny_response().predict(course).last.probability
    assert found.predict(course).model.checksum == found.checksum
    assert found.training_patients == set(to_marks(["abc"]))
    assert found.bands.of("sphericity", True)["T1"].median == 2.0


@pytest.mark.parametrize("name", [METADATA, INFERENCE, "docs/README.md"])
def test_a_changed_byte_is_found(path, name):
    content = bytearray((path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} was changed; the bundle is damaged"):
        load_response(path)


def test_a_truncated_file_with_checksums_that_fit_is_refused(path):
    (path / INFERENCE).write_text((path / INFERENCE).read_text()[:500])
    (path / "checksums.json").write_text(json.dumps(checksums(path)))
    with pytest.raises(DataError, match="cannot be read as JSON"):
        load_response(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c["formulas"][1]["fits"][0].update(constant=float("nan")), "numbers must be finite, got NaN"),
        (lambda c: c["formulas"][1]["fits"][0].update(constant="x"), "formulas.1.fits.0.constant: input should be a"),
        (lambda c: c.pop("filling"), "filling: field required"),
        (lambda c: c.update(more=1), "more: unexpected keyword argument"),
        (lambda c: c["scales"][0].update(transform="cube"), "scales.0.transform: input should be 'log'"),
        (lambda c: c["scales"][0].update(quantity="weight"), "scales must name a quantity each"),
        (lambda c: c["levels"][0].update(low=300.0), "functional_volume_ml_T0: low must not be above high"),
        (lambda c: c["inputs"][6].update(since="T3"), "must be of the levels"),
        (lambda c: c["filling"]["mean"].pop(), "must have mean, average and covariance of 17 columns"),
        (lambda c: c["filling"]["covariance"][0].__setitem__(0, -9.0), "must be symmetric and not negative"),
        (lambda c: c["filling"]["columns"].reverse(), "filling.columns must be functional_volume_ml_T0"),
        (lambda c: c["formulas"].pop(0), "formulas must be of a different set of visits each, and one of none"),
        (lambda c: c["formulas"][2]["fits"].clear(), "formula of T0 must have a fit"),
        (lambda c: c["formulas"][2]["operating_points"].clear(), "formula of T0 must have operating points"),
        (lambda c: c["formulas"][2]["fits"][0]["weights"].update(x=1.0), "must be of the inputs, got x"),
        (lambda c: c["formulas"][2].update(calibration=[0.0, 1.0]), "calibration with a slope above 0"),
        (lambda c: c["formulas"][2]["fits"][0].update(constant=1e9), r"weights up to 1e\+06, got 1e\+09"),
    ],
)
def test_numbers_that_do_not_fit_together_are_refused_in_a_sentence(path, change, problem):
    edit(path, INFERENCE, change)
    with pytest.raises(DataError, match=problem) as error:
        load_response(path)
    assert "\n" not in str(error.value)
    assert "get it again" in str(error.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c["card"].update(training_data=3), "training_data: input should be a valid string"),
        (lambda c: c["card"].pop("licence"), "licence: field required"),
        (lambda c: c["clinical_schema"][0].update(mean="x"), "mean: input should be a valid number"),
        (lambda c: c["clinical_schema"][0].update(sd=0), "age must have a standard deviation above 0"),
        (lambda c: c["clinical_schema"][1]["codings"].update(negative=True), "codings.negative: input should be"),
        (lambda c: c.pop("clinical_schema"), "not a response model"),
    ],
)
def test_a_card_or_clinical_variable_of_other_types_is_refused_in_a_sentence(path, change, problem):
    edit(path, METADATA, change)
    with pytest.raises(DataError, match=problem):
        load_response(path)


def test_a_format_of_a_later_version_asks_for_an_update(path):
    edit(path, METADATA, lambda content: content.update(response_format=2))
    with pytest.raises(DataError, match="must be 1, got 2; update BreastPCR"):
        load_response(path)


def test_a_model_of_the_other_kind_names_the_right_command(path, bundle):
    with pytest.raises(
        DataError,
        match=r"/tiny is a response model, .* with pcr follow .* give .* such as ispy2",
    ):
        find_bundle(path)
    with pytest.raises(DataError, match="use it with pcr follow"):
        load_bundle(path)
    with pytest.raises(DataError, match="is a model of one exam before treatment; use it with pcr predict"):
        find_response(bundle.path)
    with pytest.raises(DataError, match="use it with pcr predict"):
        load_response(bundle.path)


def test_settings_that_do_not_fit_are_not_written(tmp_path):
    from dataclasses import replace

    with pytest.raises(ValueError, match="one of none"):
        write_response_bundle(tmp_path / "x", CARD, SCHEMA, replace(tiny_settings(), formulas=()), "")
    assert list(tmp_path.iterdir()) == []


def test_reading_and_predicting_needs_no_torch(path):
    import subprocess
    import sys

    code = "import sys; from PCRPredictorLib.response.bundle import load_response as f; from pathlib import Path; "
    code += "f(Path(sys.argv[1])); print(sorted({'torch', 'monai'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
