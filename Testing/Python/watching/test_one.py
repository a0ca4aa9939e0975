"""Tests of one study of a watch, with a real PACS."""

import errno

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.watching import one
from PCRPredictorLib.watching.one import Settings, Task, predict_one
from support.pacs.connected import connected
from support.pacs.orthanc import needs_orthanc
from support.pacs.studies import make_studies

pytestmark = needs_orthanc


@pytest.fixture(scope="module")
def study():
    return make_studies()[0]


@pytest.fixture
def predict(orthanc, study, bundle, tmp_path):
    """Return a function that predicts the study and stores its results, and the outcome."""
    for file in study.files:
        orthanc.upload_bytes(file)
    (tmp_path / "out").mkdir()
    settings = Settings(tmp_path / "out", bundle.path.absolute(), bundle.checksum, store=True)
    connection = connected(tmp_path, orthanc.url).connection
    return lambda finds=False: predict_one(connection, Task(study.uid, finds, settings))


def test_a_study_is_stored_once_however_often_it_is_predicted(predict, orthanc, study):
    first, second = predict(), predict()
    assert (first.state, first.rows[0]["stored"], first.rows[0]["stored_before"]) == ("predicted", "4", "0")
    assert (second.rows[0]["stored"], second.rows[0]["stored_before"]) == ("0", "4")
    assert first.made_from == second.made_from
    assert len(orthanc.instances(study.uid)) == len(study.files) + 4
    assert "SECRET" not in str(first)


@pytest.mark.parametrize(
    ("error", "state", "sentence"),
    [
        (DataError("the exam is cut off; send it again"), "failed", "the exam is cut off; send it again"),
        (OSError(errno.ENOSPC, "No space left on device"), "waiting", "OSError in test_one.py"),
        (MemoryError(), "waiting", "needs more memory than this computer has"),
        (ZeroDivisionError("SECRET"), "failed", "an unexpected ZeroDivisionError in .*; please report this"),
    ],
)
def test_whatever_happens_to_a_study_is_a_sentence(predict, monkeypatch, error, state, sentence):
    def fail(*_):
        raise error

    monkeypatch.setattr(one, "predict_study", fail)
    found = predict()
    assert found.state == state
    with pytest.raises(DataError, match=sentence):
        raise DataError(found.error)
    assert "SECRET" not in found.error


def test_a_full_disk_of_this_computer_is_waited_for(predict, monkeypatch):
    def fail(*_):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise DataError("out: cannot be written (no space left on device); free some space") from error

    monkeypatch.setattr(one, "predict_study", fail)
    assert predict().state == "waiting"
