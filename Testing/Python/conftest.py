"""Fixtures that several test modules share."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # more slow down arrays as small as these, above all beside other tests

import pytest
import torch
from PCRPredictorLib.model.bundle import Bundle, load_bundle
from support.card_and_schema import SCHEMA
from support.examples import tiny_prediction
from support.models.tiny import write_tiny_bundle
from support.training_cohort import QUICK, quiet_job, write_cohort

torch.set_num_threads(1)
REAL_COHORTS = Path(os.environ.get("PCR_COHORTS", Path(__file__).parents[3] / "shared" / "cohorts"))


@pytest.fixture(autouse=True)
def logging_as_before():
    """The page's command sets up the logging of its process, which is that of the tests that come after."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    for handler in set(root.handlers).difference(handlers):
        root.removeHandler(handler)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory) -> Bundle:
    """An intact bundle of two folds with random weights; copy it before changing it."""
    folder = tmp_path_factory.mktemp("bundles") / "tiny bündle"
    return load_bundle(write_tiny_bundle(folder))


@pytest.fixture
def predict_given(monkeypatch):
    """Return a function that predicts sources as an archive, with a function of exams instead of a model."""
    from PCRPredictorLib.archive import patients
    from PCRPredictorLib.archive.predict import predict_cohort
    from PCRPredictorLib.engine.many import Place

    def predict_given(sources, out, predict=tiny_prediction, **wanted):
        def as_predictor(exam, _point):
            return predict(exam)

        fake = SimpleNamespace(predict=as_predictor, bundle=SimpleNamespace(schema=SCHEMA))
        monkeypatch.setattr(patients, "load_predictor", lambda *_: fake)
        request = patients.Request(
            Path("/a model"), "its checksum", folder=wanted.pop("folder", None), cohort=wanted.pop("cohort", None)
        )
        return predict_cohort(sources, request, out, Place(workers=1), **wanted)

    return predict_given


@pytest.fixture
def real_cohort() -> Path:
    """The real I-SPY2 exams, if they are available."""
    folder = REAL_COHORTS / "ispy2"
    if not folder.is_dir():
        pytest.skip(f"needs real exams in {folder} or in $PCR_COHORTS/ispy2")
    return folder


@pytest.fixture(scope="session")
def real_exam() -> Path:
    """The DICOM folder of a real whole exam, if it is available."""
    folder = REAL_COHORTS.parent / "exams" / "duke_153" / "dicom"
    if not folder.is_dir():
        pytest.skip(f"needs a real exam in {folder}")
    return folder


@pytest.fixture(scope="session")
def running_orthanc(tmp_path_factory):
    """A PACS for the whole session; tests take `orthanc`."""
    from support.pacs.orthanc import Orthanc

    orthanc = Orthanc(tmp_path_factory.mktemp("orthanc")).start()
    yield orthanc
    orthanc.stop(kill=True)


@pytest.fixture
def orthanc(running_orthanc):
    """An empty PACS; mark tests with `support.pacs.orthanc.needs_orthanc`."""
    yield running_orthanc
    running_orthanc.clear()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB."""
    if not shutil.which("mount"):
        pytest.skip("needs the command mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="session")
def training_cohort(tmp_path_factory) -> Path:
    """Sixteen tiny patients; copy it before changing it."""
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "hospital one")


@pytest.fixture(scope="session")
def quick_config(tmp_path_factory) -> Path:
    """A configuration that trains in a few seconds."""
    path = tmp_path_factory.mktemp("configs") / "quick.json"
    path.write_text(QUICK)
    return path


@pytest.fixture(scope="session")
def trained(training_cohort, quick_config, tmp_path_factory) -> Path:
    """A finished run on `training_cohort`; read it only."""
    from PCRTrainingLib.config import read_config
    from PCRTrainingLib.runs.train import train

    out = tmp_path_factory.mktemp("runs") / "my run"
    train(quiet_job(training_cohort, out), read_config(quick_config))
    return out


@pytest.fixture(scope="session")
def slicer_session():
    """Slicer without its desktop."""
    from PCRPredictorView.opengl import opengl_missing

    for package in ("slicer", "PySide6"):
        pytest.importorskip(package)
    if library := opengl_missing():
        pytest.skip(f"needs {library}: apt-get install libegl1 libgl1")
    from harness import session

    session.start()
    return session


@pytest.fixture
def panel(slicer_session, tmp_path, monkeypatch):
    """The PCRPredictor module, open on an empty scene; its error messages are in `panel.messages`."""
    import qt
    import slicer
    from harness.pythonqt import stray_attributes
    from support.panel_help import MODULE

    qt.QSettings().clear()  # paths and the model that the tests before have used
    monkeypatch.setenv("BREASTPCR_MODELS", str(tmp_path / "models"))
    messages, raised = [], []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: raised.append(error))
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **_options: messages.append(text))
    widget = slicer_session.open_module(MODULE)
    widget.messages = messages
    yield widget
    assert stray_attributes(widget.parent) == []  # PythonQt would have refused them
    slicer_session.close_module(widget)
    slicer.mrmlScene.Clear(False)
    assert raised == []  # in slots and observers: Slicer prints it and goes on


@pytest.fixture
def training_panel(panel, slicer_session, monkeypatch):
    """The PCRTraining module, open beside PCRPredictor."""
    from harness.pythonqt import stray_attributes
    from support.panel_help import TRAINING_MODULE

    widget = slicer_session.open_module(TRAINING_MODULE)
    widget.messages = panel.messages
    widget.predictor = panel
    yield widget
    assert stray_attributes(widget.parent) == []
    slicer_session.close_module(widget)
