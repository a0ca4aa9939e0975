"""Tests of `pcr pacs watch` with a real PACS."""

import json

import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs.studies import with_series
from PCRPredictorLib.watching import plan, worker
from PCRPredictorLib.watching.records import JOURNAL, TABLE, Outcome
from PCRPredictorLib.watching.stopping import Stopping
from PCRPredictorLib.writing import read_csv
from support.pacs.orthanc import needs_orthanc
from support.pacs.studies import make_studies
from support.pacs.watched import InProcess

pytestmark = needs_orthanc


@pytest.fixture(scope="module")
def study():
    return make_studies()[0]


@pytest.fixture
def watch(orthanc, study, bundle, tmp_path, monkeypatch, capsys):
    """Return a function that calls the command and returns its exit code and lines."""
    for file in study.files:
        orthanc.upload_bytes(file)
    monkeypatch.setattr(worker, "Worker", InProcess)
    (tmp_path / "pacs.json").write_text(json.dumps({"url": orthanc.url}))
    words = ["--pacs", str(tmp_path / "pacs.json"), "--model", str(bundle.path)]

    def call(*more, out="out"):
        usual = [word for pair in (("--days", "0"), ("--settle", "0")) if pair[0] not in more for word in pair]
        code = run(app, ["pacs", "watch", "--out", str(tmp_path / out), *words, *usual, *more])
        printed = capsys.readouterr()
        assert "SECRET" not in printed.out + printed.err
        return code, printed.out.splitlines() + printed.err.splitlines()

    return call


def test_a_dry_run_says_what_would_be_done_and_does_nothing(watch, orthanc, study, tmp_path):
    code, lines = watch("--dry-run", "--store")
    assert code == 0
    assert lines == [
        f"study {study.uid}: would be predicted with series 90 (tumour), and its results sent to "
        f"{orthanc.url.split('/')[2]}"
    ]
    assert not (tmp_path / "out").exists()
    assert len(orthanc.instances()) == len(study.files)


def test_nothing_is_sent_unless_it_is_asked_for(watch, orthanc, study, tmp_path):
    code, lines = watch("--once")
    assert (code, lines[-1]) == (0, "studies predicted: 1, failed: 0")
    assert (tmp_path / "out" / study.uid / "report.html").is_file()
    assert len(orthanc.instances()) == len(study.files)
    assert watch("--once")[1][-1] == "studies predicted: 0, failed: 0"
    assert "predicted already, 20" in watch("--dry-run")[1][0]


def test_the_journal_names_the_patient_only_if_that_is_asked_for(watch, tmp_path):
    watch("--once")
    for name in (JOURNAL, TABLE):
        assert "SECRET" not in (tmp_path / "out" / name).read_text()
    watch("--once", "--show-patient-id", out="named")
    assert read_csv(tmp_path / "named" / TABLE)[0]["patient_id"] == "SECRET-0"


def test_a_second_watch_in_the_folder_is_refused(watch, monkeypatch):
    monkeypatch.setattr(Stopping, "wait", lambda *_: found.append(watch("--once")) or (_ for _ in ()).throw(Stopped))
    from PCRPredictorLib.watching.stopping import Stopped

    found = []
    code, lines = watch()
    assert code == 0
    assert lines[-1] == "stopped; studies predicted: 1, failed: 0"
    assert found[0][0] == 1
    assert "another run is writing here" in found[0][1][-1]


@pytest.mark.parametrize("words", [["--every", "soon"], ["--settle", "9d"]])
def test_times_that_are_none_are_refused(watch, words):
    code, lines = watch(*words)
    assert code == 2
    assert any("must be a time of up to 7 days" in line for line in lines)


@pytest.mark.parametrize("words", [["--every", "0"], ["--days", "99999999"]])
def test_looks_without_a_pause_and_days_before_any_scanner_are_refused(watch, words):
    code, lines = watch("--once", *words)
    assert code == 2
    assert any("must be at least 1 s" in line or "36500" in line for line in lines)


def test_once_says_by_its_exit_code_that_a_study_waits(watch, study, monkeypatch):
    monkeypatch.setattr(InProcess, "run", lambda *_: Outcome("waiting", error="the PACS is full; free some space"))
    code, lines = watch("--once")
    assert code == 1
    assert lines[-1] == "studies predicted: 0, failed: 0, waiting: 1; run it again"


def test_a_dry_run_goes_on_after_a_study_that_the_pacs_does_not_tell_of(watch, orthanc, study, monkeypatch):
    def fail(connection, found):
        asked.append(found.uid)
        if len(asked) == 1:
            raise DataError("the PACS has no such study; look there")
        return with_series(connection, found)

    asked = []
    for file in make_studies(2)[1].files:
        orthanc.upload_bytes(file)
    monkeypatch.setattr(plan, "with_series", fail)
    code, lines = watch("--dry-run")
    assert code == 0
    assert [": cannot be looked into: the PACS has" in line for line in lines] == [True, False]


def test_dates_that_match_nothing_leave_nothing(watch, tmp_path):
    none, found = watch("--once", "--date", "19990101")[1]
    assert none == "the PACS lists no MR study that matches now"
    assert found == "studies predicted: 0, failed: 0"
    assert not (tmp_path / "out").exists()


def test_old_studies_are_looked_at_on_request(watch, tmp_path):
    for more in (["--once"], ["--dry-run"]):
        assert (
            "of the last 14 days that matches now; --days 0 takes any date, or none"
            in watch(*more, "--days", "14")[1][0]
        )
