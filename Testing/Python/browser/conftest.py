"""One `pcr view` and one browser for all tests of this folder."""

import pytest
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.site import find_site
from PCRPredictorView.opengl import opengl_missing
from support.browser_help import (
    CHROMIUM,
    chromium,
    open_page,
    serving,
)


@pytest.fixture(scope="package", autouse=True)
def needs():
    """Skip these tests if what they need is missing."""
    for package in ("playwright", "slicer_layer_dm"):
        pytest.importorskip(package)
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    if library := opengl_missing():
        pytest.skip(f"needs {library}: apt-get install libegl1 libgl1")


@pytest.fixture(scope="package")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view") / "cohort"
    write_cohort(folder, 4, find_site("A", 0.0), 3)
    return folder


@pytest.fixture(scope="package")
def served(cohort):
    with serving(cohort, "--model", "phantom") as (process, address):
        yield process, address


@pytest.fixture(scope="package")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, served):
    foreign = []
    page = open_page(browser, served[1], foreign)
    yield page
    page.context.close()
    assert foreign == []
