"""The PCRTraining panel with a cohort of phantoms."""

import shutil

import pytest
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.site import find_site

pytest.importorskip("slicer")
pytest.importorskip("PySide6")


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """24 simulated patients; copy them before changing them."""
    folder = tmp_path_factory.mktemp("phantoms") / "hospital A"
    write_cohort(folder, 24, find_site("A"), seed=3)
    return folder


@pytest.fixture
def cohort(phantoms, tmp_path):
    return shutil.copytree(phantoms, tmp_path / "my cohört")


@pytest.fixture
def small_config(tmp_path, quick_config):
    """Few epochs, two folds, small networks."""
    path = tmp_path / "small.json"
    path.write_text(quick_config.read_text())
    return path


@pytest.fixture
def ready(training_panel, cohort, small_config, tmp_path):
    """The panel with cohort, settings and a run folder."""
    panel = training_panel
    panel.ui.cohortPath.currentPath = str(cohort)
    panel.ui.configPath.currentPath = str(small_config)
    panel.ui.presetSelector.setCurrentIndex(panel.ui.presetSelector.findData("file"))
    panel.ui.runPath.currentPath = str(tmp_path / "run 1")
    return panel
