"""`pcr pacs find` and `pcr pacs predict`: what they print, and that no secret or name is among it."""

import csv
import json
from contextlib import nullcontext
from dataclasses import fields

import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.commands import pacs_predict
from PCRPredictorLib.commands.predict import Words
from PCRPredictorLib.pacs.configuration import VARIABLE
from support.pacs import faults
from support.pacs.connected import write_configuration
from support.pacs.faulty_archive import Fault, faulty_archive
from support.pacs.orthanc import needs_orthanc
from support.pacs.studies import make_studies

TOKEN = "t0ken-t0ken"


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    """Run `pcr pacs`; (exit code, standard output, standard error)."""
    monkeypatch.delenv(VARIABLE, raising=False)

    def run_it(*words):
        code = run(app, ["pacs", *map(str, words)])
        printed = capsys.readouterr()
        assert TOKEN not in printed.out + printed.err
        return code, printed.out, " ".join(printed.err.split())

    return run_it


@pytest.fixture
def pacs(orthanc, tmp_path):
    """A PACS with a study that wants a token; the words that name it."""
    (made,) = make_studies()
    for content in made.files:
        orthanc.upload_bytes(content)
    with faulty_archive(orthanc.url, token=TOKEN) as archive:
        archive.words = "--pacs", write_configuration(tmp_path, url=archive.url, token=TOKEN)
        archive.study = made.uid
        yield archive


@needs_orthanc
def test_studies_are_listed_as_a_table_json_or_csv_without_the_patient(pacs, call, tmp_path):
    code, table, _ = call("find", *pacs.words)
    assert code == 0
    assert pacs.study in table
    assert "1 study" in table
    _, text, _ = call("find", *pacs.words, "--json")
    (row,) = json.loads(text)["studies"]
    assert (row["study"], row["breast_dce"], row["segmentation"], row["predicted"]) == (pacs.study, "likely", 1, False)
    assert call("find", *pacs.words, "--csv", tmp_path / "studies.csv")[0] == 0
    (line,) = csv.DictReader((tmp_path / "studies.csv").open())
    assert line["study"] == pacs.study
    assert "SECRET" not in table + text + str(line)
    assert "SECRET-0" in call("find", *pacs.words, "--show-patient-id")[1]


@needs_orthanc
def test_no_match_and_more_than_shown_are_said(pacs, call, orthanc):
    assert "no study matches; ask for less" in call("find", *pacs.words, "--date", "19990101")[1]
    for content in make_studies()[0].images:
        orthanc.upload_bytes(content)
    assert "2 studies, the newest 1 shown" in call("find", *pacs.words, "--most", "1")[1]


@needs_orthanc
def test_a_study_is_predicted_and_what_would_be_sent_is_listed(pacs, call, bundle, tmp_path, orthanc, monkeypatch):
    monkeypatch.setattr(pacs_predict, "scene_beside", lambda: nullcontext(None))  # no process with Slicer's core
    words = (*pacs.words, "--study", pacs.study, "--model", bundle.path, "--out", tmp_path / "out")
    code, printed, notes = call("predict", *words, "--dry-run")
    assert code == 0, notes
    assert "the tumour mask is series 90 (tumour)" in notes
    assert printed.count("would be sent: ") == 4
    assert f"MB) to {pacs.url}/studies/{pacs.study}" in printed
    assert len(orthanc.series(pacs.study)) == 4
    assert "SECRET" not in printed + notes
    code, printed, _ = call("predict", *words, "--store")
    assert (code, printed.count("stored: ")) == (0, 4)
    assert "yes" in call("find", *pacs.words)[1]


@needs_orthanc
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--study", "nonsense"], 1, "--study must be a UID, numbers with dots"),
        (["--study", "1.2.3"], 1, "has no study 1.2.3; pcr pacs find lists its studies"),
        (["--study", "1.2.3", "--store", "--dry-run"], 2, "give one of --store and --dry-run"),
        (["--study", "1.2.3", "--mask", "a.nii", "--segmentation", "9"], 2, "give one of --mask and --segmentation"),
        (["--study", "1.2.3", "--segmentation", "9", "--find-tumour"], 2, "give at most one of --mask"),
    ],
)
def test_a_call_that_cannot_work_is_refused_in_a_sentence(pacs, call, bundle, tmp_path, words, code, sentence):
    found = call("predict", *pacs.words, *words, "--model", bundle.path, "--out", tmp_path / "out")
    assert found[0] == code
    assert sentence in found[2].replace("│ ", "").replace(" │", "")
    assert not (tmp_path / "out").exists()


@needs_orthanc
def test_a_wrong_token_is_one_sentence_without_it(pacs, call, tmp_path):
    wrong = write_configuration(tmp_path, url=pacs.url, token=f"{TOKEN}-wrong")
    code, printed, error = call("find", "--pacs", wrong)
    assert (code, printed) == (1, "")
    assert error.endswith("refuses the sign-in (401); check token, or user and password, in the configuration")
    assert "Traceback" not in error


def test_without_a_configuration_it_is_said_how_to_give_one(call):
    code, _, error = call("find")
    assert code == 1
    assert error == (
        "pcr: no PACS is configured; give a file in JSON with the url of the DICOMweb root by --pacs, or name it in "
        "BREASTPCR_PACS"
    )


def test_a_pacs_that_is_off_is_one_sentence(call, tmp_path):
    from support.pacs.orthanc import free_port

    off = write_configuration(tmp_path, url=f"http://127.0.0.1:{free_port()}/dicom-web", retries=0)
    code, _, error = call("find", "--pacs", off)
    assert code == 1
    assert "refuses the connection; check that it is running, and host and port in the configuration" in error


@needs_orthanc
def test_a_result_that_cannot_be_stored_is_printed_and_sent_later_without_predicting(
    pacs, call, bundle, tmp_path, orthanc, monkeypatch
):
    monkeypatch.setattr(pacs_predict, "scene_beside", lambda: nullcontext(None))
    pacs.faults = [Fault(faults.refuses(507), "POST")]
    words = (*pacs.words, "--study", pacs.study, "--model", bundle.path, "--out", tmp_path / "out", "--store")
    monkeypatch.setattr("time.sleep", lambda _: None)
    code, printed, error = call("predict", *words)
    assert code == 1
    assert str(tmp_path / "out") in printed.splitlines()[-1]
    end = f"0 of 4 objects stored. The results are in {tmp_path / 'out'}; send what is missing with pcr pacs store"
    assert end in error
    pacs.faults = []
    code, printed, _ = call("store", *pacs.words, tmp_path / "out", "--dry-run")
    assert (code, printed.count("would be sent: "), len(orthanc.series(pacs.study))) == (0, 4, 4)
    for said in ("stored: ", "there already: "):
        code, printed, notes = call("store", *pacs.words, tmp_path / "out")
        assert (code, printed.count(said), notes) == (0, 4, "")
    assert printed.splitlines()[-1].startswith("there already: SR ")
    assert len(orthanc.series(pacs.study)) == 8
    orthanc.clear()
    assert f"does not have study {pacs.study}; it would hold" in call("store", *pacs.words, tmp_path / "out")[2]


def test_a_folder_without_results_is_refused_before_the_pacs_is_asked(call, tmp_path):
    code, _, error = call("store", "--pacs", tmp_path / "none.json", tmp_path)
    assert (code, "holds no results in DICOM; give the folder that pcr predict" in error) == (1, True)


@needs_orthanc
def test_only_an_earlier_table_of_studies_is_replaced(pacs, call, tmp_path):
    table, other = tmp_path / "studies.csv", tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    assert "in the place of" not in call("find", *pacs.words, "--csv", table)[1]
    assert "in the place of the table that was there" in call("find", *pacs.words, "--csv", table)[1]
    code, _, error = call("find", *pacs.words, "--csv", other)
    assert (code, other.read_text()) == (2, "a,b\n1,2\n")
    assert "--csv must be a new file or a table of studies" in error


@pytest.mark.parametrize("words", [["predict"], ["pacs", "predict"]])
def test_a_prediction_takes_the_same_options_from_files_and_from_a_pacs(words, capsys):
    run(app, [*words, "--help"])
    printed = capsys.readouterr().out
    assert all(f"--{each.name.replace('_', '-')}" in printed for each in fields(Words))


def test_options_that_do_not_go_together_are_refused(call, tmp_path):
    assert call("find", "--csv", tmp_path / "a.csv", "--json")[0] == 2
    code, _, error = call("predict", "--study", "1.2", "--out", tmp_path / "x", "--keep", tmp_path / "x")
    assert code == 2
    assert "--keep and --out must be" in error
