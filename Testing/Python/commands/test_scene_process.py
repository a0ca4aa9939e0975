"""The second process, which writes the scene of a prediction."""

import multiprocessing
import sys
import zipfile

import pytest
from PCRPredictorLib.commands.scene_process import scene_beside
from PCRPredictorLib.mrml.scene import slicer_core_available
from support.examples import AXIAL, tiny_exam, tiny_prediction

pytestmark = pytest.mark.skipif(not slicer_core_available(), reason="needs slicer-core: pip install slicer-core")
EXAM = tiny_exam(AXIAL)


@pytest.fixture
def writer():
    """The writer in a process that has not loaded Slicer; its own process is gone afterwards."""
    loaded = sys.modules.pop("slicer")
    with scene_beside() as writer:
        sys.modules["slicer"] = loaded
        yield writer
    assert multiprocessing.active_children() == []


def test_scene_is_there_after_the_block(writer, tmp_path):
    with writer(EXAM, tiny_prediction(EXAM), tmp_path / "scene.mrb"):
        pass
    assert zipfile.ZipFile(tmp_path / "scene.mrb").testzip() is None
    assert [file.name for file in tmp_path.iterdir()] == ["scene.mrb"]


def test_scene_that_cannot_be_written_is_an_error(writer, tmp_path):
    with pytest.raises(OSError, match="absent"), writer(EXAM, tiny_prediction(EXAM), tmp_path / "absent" / "scene.mrb"):
        pass


def test_scene_is_written_here_if_its_process_has_ended(writer, tmp_path):
    (process,) = multiprocessing.active_children()
    process.kill()
    process.join()
    with writer(EXAM, tiny_prediction(EXAM), tmp_path / "scene.mrb"):
        pass
    assert zipfile.is_zipfile(tmp_path / "scene.mrb")


def test_failure_of_the_other_files_ends_the_process_first(writer, tmp_path):
    with pytest.raises(ZeroDivisionError), writer(EXAM, tiny_prediction(EXAM), tmp_path / "scene.mrb"):
        raise ZeroDivisionError
    assert multiprocessing.active_children() == []


def test_process_that_has_loaded_slicer_writes_the_scene_itself(tmp_path):
    with scene_beside() as writer, writer(EXAM, tiny_prediction(EXAM), tmp_path / "scene.mrb"):
        assert multiprocessing.active_children() == []
    assert zipfile.is_zipfile(tmp_path / "scene.mrb")
