"""Both panels in a Slicer as it is downloaded: without the Python packages that prediction and training need."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
from support.panel_help import MODULE, TRAINING_MODULE

# Opens both modules, then the second one again with the packages there.
SCRIPT = f"""
import importlib.metadata, sys
from harness import session
session.start()
LACKED = "torch monai safetensors pandas openpyxl pydantic typer rich matplotlib sklearn scikit-learn filelock".split()
LACKED += ["jinja2", "Jinja2", "psutil"]
version = importlib.metadata.version

class Bare:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in LACKED:
            raise ModuleNotFoundError(name)

def version_here(name):
    if name in LACKED:
        raise importlib.metadata.PackageNotFoundError(name)
    return version(name)

for name in [name for name in sys.modules if name.split(".")[0] in LACKED]:
    del sys.modules[name]
sys.meta_path.insert(0, Bare)
importlib.metadata.version = version_here
predictor = session.open_module({str(MODULE)!r})
training = session.open_module({str(TRAINING_MODULE)!r})
print(predictor.ui.setupFrame.isHidden(), predictor.session.model.bundle.path.name, predictor.ui.setupLabel.text)
print(training.ready, training.ui.cohortSection.enabled, training.ui.packagesLabel.text)
from PCRPredictorPanel.sample import load_sample
assert len(load_sample()) == 4
training.exit()
LACKED.clear()
training.enter()
print(training.ready, training.ui.cohortSection.enabled, training.settings.problem, training.ui.packagesLabel.text)
"""


def test_panels_open_without_packages_and_show_how_to_get_them():
    testing = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=testing, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    predictor, training, again = done.stdout.splitlines()[-3:]
    assert predictor.startswith("False ispy2 Python packages are missing")
    assert training.startswith(
        "False False Python packages are missing or too old; install them in the module PCR Pred"
    )
    for line in (predictor, training):
        assert "torch, monai, safetensors" in line
        assert "scikit-learn, filelock, psutil" in line
    assert again.strip() == "True True None"
