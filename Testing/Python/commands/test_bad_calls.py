"""Bad calls and inputs as users make them: one sentence that says what to do, no traceback, nothing written."""

import csv
import hashlib
import json
import os
import shutil

import pytest
from PCRPredictorLib.model.bundle import find_bundle
from PCRTrainingLib.command_line import app, run


@pytest.fixture(scope="module")
def desk(training_cohort, tmp_path_factory):
    """A folder with a cohort, and with what users take for something else."""
    place = tmp_path_factory.mktemp("desk of a user, größer")
    shutil.copytree(training_cohort, place / "cohort")
    (place / "empty").mkdir()
    (place / "a file").write_text("x")
    (place / "half.json").write_text('{"steps": [{"na')
    (place / "list.json").write_text("[1]")
    (place / "latin.json").write_bytes('{"name": "Müller"}'.encode("latin-1"))
    (place / "visits.csv").write_text("a,b\n1,2\n")
    (place / "old" / "configs").mkdir(parents=True)
    (place / "old" / "configs" / "metadata.json").write_text('{"name": "old"}')
    (place / "thousands.csv").write_text("ftv_mm3_T0;ftv_mm3_T1\n10.500,0;2.300,5\n")
    write_dates(place / "cohort", place / "dates", "1971-03-04", ",")
    write_dates(place / "cohort", place / "german dates", "04.03.1971", ";")
    shutil.copytree(place / "cohort", place / "half")
    (place / "half" / "cohort.json").write_text('{"phases": ["a')
    write_bundles(place)
    return place


def write_dates(cohort, copy, date, separator):
    """Write the cohort again, with dates of birth for ages."""
    table = shutil.copytree(cohort, copy) / "clinical_and_imaging_info.csv"
    with table.open(newline="") as file:
        rows = [{**row, "age": date} for row in csv.DictReader(file)]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def write_bundles(place):
    """Write a bundle of a later version, one with a half-written file, and one without its weights."""
    for name in ("future", "halved", "light"):
        shutil.copytree(find_bundle("phantom"), place / name)
    (place / "light" / "models" / "fold_0.safetensors").unlink()
    file = place / "halved" / "configs" / "inference.json"
    file.write_text(file.read_text()[:300])
    file = place / "future" / "configs" / "metadata.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "breastpcr_format": 99}))
    for name, part in (("halved", "inference"), ("future", "metadata")):
        sums = place / name / "checksums.json"
        content = (place / name / "configs" / f"{part}.json").read_bytes()
        known = json.loads(sums.read_text()) | {f"configs/{part}.json": hashlib.sha256(content).hexdigest()}
        sums.write_text(json.dumps(known))


CASES = [  # words, divided by |; exit code; part of the sentence
    # wrong order of words, and options without or with too many values
    ("predict|a.nii|b.nii|c.nii|--out|o", 2, "a.nii belongs to no option; write the option before it"),
    (
        "predict|.|--out|o",
        2,
        ". belongs to no option; write the option before it, as in --series . for an exam in files",
    ),
    ("predict|--out|--phases|a|b|c", 2, "belongs to no option"),
    ("--out|o|predict|--cohort|cohort", 2, "--out must be written behind the command; write pcr predict --out ..."),
    ("predict|--cohort|--out|o|cohort", 2, "--cohort must be followed by its value, got --out; see --help"),
    ("experiment|cohort|--external|--out|o", 2, "--external must be followed by its value, got --out"),
    ("select|cohort|--out|o|--configs", 2, "--configs must be followed by its value, got nothing"),
    ("train|--out|cohort|newcohort", 1, "cohort: must be a new or empty folder, got clinical_and_imaging_info.csv"),
    ("import|archive|cohort", 1, "archive: does not exist; check the path"),
    ("evaluate|phantom|--model|cohort|--out|o", 1, "cohort: not a model bundle, it has no checksums.json"),
    ("bundle|recalibrate|cohort|phantom|--out|o", 1, "cohort: not a model bundle, it has no checksums.json"),
    ("follow|--visit|cohort|T0|--out|o", 2, "a visit must be one of T0, T1, T2, T3, got cohort"),
    ("follow|--mask|a file|T0|--visit|T0|cohort|--out|o", 2, "a visit must be one of T0, T1, T2, T3, got a file"),
    ("label|cohort|yes|P1", 1, "yes: is not a patient of cohort with images; its patients are P0, P1"),
    ("predict|—cohort|cohort|--out|o", 2, "—cohort belongs to no option; write the option before it"),
    ("train|cohort|--out|o|--config|quick|full", 1, "full: does not exist; check the path"),
    ("predict|--phases|a|b|c|--clinical|age|52|--out|o", 1, "pairs such as age=52, got age; write name=value"),
    ("predict|--phases|a|b|--out|o", 1, "an exam must be three files (pre-contrast, early, late), got 2"),
    ("predict|--phases|a|b|c|d|--out|o", 1, "an exam must be three files (pre-contrast, early, late), got 4"),
    ("train|cohort", 2, "Missing option '--out'"),
    ("evaluate|--model|phantom|--out|o", 2, "Missing argument 'cohorts'"),
    ("train|cohort|--out|o|--resum", 2, "Possible options: --from, --resume"),
    ("trian|cohort", 2, "Did you mean 'train'?"),
    ("predict|--cohort|cohort|--pick|0|1|2|--out|o", 2, "--pick chooses among the phases of --series or of a --dicom"),
    ("predict|--phases|a|b|c|--click|1|2|--out|o", 2, "--click must have three numbers, X Y Z in mm, got 2"),
    ("follow|--out|o", 2, "give exactly one of --visit (once for each visit), --dicom, --values and --table"),
    ("follow|--visit|T0|--out|o", 2, "--visit T0 must be followed by its exam, got nothing"),
    ("follow|--visit|T9|cohort|--out|o", 2, "a visit must be one of T0, T1, T2, T3, got T9"),
    # given twice, empty, of another system, not expanded by the shell
    ("predict|--cohort|cohort|--model|ispy2|--model|phantom|--out|o", 2, "--model must be given once, got it 2 times"),
    ("predict|--cohort|cohort|--model|ispy2|phantom|--out|o", 2, "phantom belongs to no option"),
    ("train|cohort|--out|o|--seed=1|--seed|2", 2, "--seed must be given once"),
    ("check|", 2, "a word of the command is empty"),
    ("predict|--cohort|cohort|--out|", 2, "--out must name a folder for the results, got none"),
    (r"predict|--cohort|C:\Users\me\cohort|--out|o", 2, "is a path of Windows; give it as this system names it"),
    ("check|~/no such cohort", 1, "no such cohort: does not exist; check the path"),
    # files for folders, folders for files, a folder's parent
    ("predict|--dicom|a file|--out|o", 1, "give the folder with the DICOM files"),
    ("predict|--dicom|empty|--out|o", 1, "empty: has no DICOM images"),
    ("predict|--cohort|empty|--out|o", 1, "empty: holds no exam; give a folder with pre, early and late"),
    ("predict|--cohort|cohort|--out|a file", 2, "--out must be a folder, got the file a file"),
    ("train|cohort|--out|o|--config|empty", 1, "empty: no such configuration; give a JSON file or one of quick, full"),
    ("train|cohort|visits.csv|--out|o", 1, "give tables alone or folders alone"),
    ("check|cohort/images", 1, "not a cohort"),
    ("check|empty/", 1, "not a cohort: no folder images"),
    ("predict|--cohort|cohort|--out|cohort/images", 2, "--out must lie outside of what is read, got cohort/images"),
    ("predict|--phases|cohort|cohort|cohort|--out|o", 1, "cohort: is a folder; give a file"),
    ("predict|--series|cohort|--out|o", 1, "cohort: must hold one image with all phases, or one for each"),
    ("follow|--values|empty|--out|o", 1, "empty: must have several visits per patient"),
    ("train|cohort|--card|empty|--out|o", 1, "empty: cannot be read as JSON"),
    ("check|visits.csv|--mapping|empty", 1, "empty: must be a JSON object"),
    ("import|cohort|o|--table|empty", 1, "--table must be a file, got empty"),
    ("evaluate|cohort|--model|phantom|--out|a file/sub", 1, "cannot be written"),
    ("view|--pacs|empty", 1, "empty: cannot be read (Is a directory); give a file in JSON"),
    ("federate|join|empty|cohort", 1, "empty: must be the startup kit of a site"),
    ("init|empty", 1, "empty: has no images; give a folder with phases"),
    ("import|a file|o", 1, "a file: not a folder; give the folder with the DICOM files of all patients"),
    ("view|nowhere", 1, "nowhere: does not exist; check the path"),
    # old and damaged models, half-written JSON, other encodings
    ("predict|--cohort|cohort|--model|old|--out|o", 1, "old: not a model bundle, it has no checksums.json"),
    ("predict|--cohort|cohort|--model|nosuch|--out|o", 1, "nosuch: no such model; give a bundle folder or one of"),
    ("evaluate|cohort|--model|old|--out|o", 1, "give a folder made by pcr train"),
    ("bundle|info|a file", 1, "a file: no such model"),
    ("train|cohort|--out|o|--from|old", 1, "old: not a model bundle"),
    ("train|cohort|--out|o|--config|half.json", 1, "half.json: must be JSON"),
    ("train|cohort|--out|o|--config|list.json", 1, "list.json: must be a JSON object"),
    ("train|cohort|--out|o|--config|latin.json", 1, "latin.json: must be UTF-8"),
    ("train|cohort|--out|o|--config|Full", 1, "Full: no such configuration"),
    ("select|cohort|--configs|half.json|--out|o", 1, "half.json: must be JSON"),
    ("estimate|cohort|--config|half.json", 1, "half.json: must be JSON"),
    ("train|cohort|--out|o|--card|half.json", 1, "half.json: cannot be read as JSON"),
    ("check|visits.csv|--mapping|half.json", 1, "half.json: must be a JSON object"),
    ("predict|--phases|a|b|c|--clinical|half.json|--out|o", 1, "half.json: must be a JSON object or a CSV table"),
    ("train|cohort|--out|o|--cluster|half.json", 1, "half.json: must be JSON or YAML"),
    ("view|--pacs|half.json", 1, "half.json: must be JSON; give a file in JSON with the url"),
    ("check|half", 1, "half/cohort.json: must be JSON"),
    ("bundle|verify|future", 1, "future: bundle format must be 1, got 99; update BreastPCR"),
    ("bundle|verify|halved", 1, "configs/inference.json: cannot be read as JSON"),
    ("bundle|verify|light", 1, "models/fold_0.safetensors is missing; the bundle is damaged"),
    ("predict|--phases|a|b|c|--model|response|--out|o", 1, "response is a response model, which reads several visits"),
    ("follow|--values|visits.csv|--model|phantom|--out|o", 1, "phantom is a model of one exam before treatment"),
    # a locale with commas, and points between thousands
    ("predict|--phases|a|b|c|--click|1,2,3|--out|o", 2, "got 1,2,3; write 0.5 for a decimal, and several values"),
    ("phantom|p|--pcr-rate|0,3", 2, "got 0,3; write 0.5 for a decimal"),
    ("experiment|cohort|--out|o|--seeds|1,5", 2, "got 1,5; write 0.5 for a decimal"),
    ("follow|--values|thousands.csv|--out|o", 1, "1 cell of ftv_mm3_T0 not used ('10.500,0' is not a number)"),
    ("check|german dates", 1, "age must be a number from 18 to 100 years"),
    # tables: dates for ages, no columns of visits, numbers that are none
    ("check|dates", 1, "age must be a number from 18 to 100 years"),
    ("check|visits.csv", 1, "must have a column of patients and columns of tumours at visits"),
    ("follow|--table|visits.csv|--out|o", 1, "must have a column of patients"),
    ("follow|--values|nowhere.csv|--out|o", 1, "nowhere.csv: cannot be read (No such file or directory)"),
    ("phantom|p|--patients|many", 2, "Input should be a valid integer"),
    ("experiment|cohort|--out|o|--seeds|0", 2, "Input should be greater than or equal to 1"),
    ("train|cohort|cohort|--out|o|--config|quick", 1, "share the images of 16 patients"),
    ("evaluate|cohort|cohort/|--model|phantom|--out|o", 2, "cohort is given twice; leave one out"),
    ("phantom|cohort|--patients|2", 2, "which holds a cohort already; name a new one"),
]


@pytest.mark.parametrize(("words", "code", "sentence"), CASES, ids=[words for words, *_ in CASES])
def test_a_bad_call_is_one_sentence_that_says_what_to_do(words, code, sentence, desk, monkeypatch, capsys):
    monkeypatch.chdir(desk)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setattr("rich.console.Console.width", 400, raising=False)
    assert run(app, words.split("|")) == code
    said = capsys.readouterr()
    assert sentence in said.err + said.out
    assert "Traceback" not in said.err + said.out
    left = {path.name for path in desk.glob("o/*")} - {"config.json", "kind.json", "sessions.json", ".lock", "cache"}
    shutil.rmtree(desk / "o", ignore_errors=True)
    assert not left


def test_a_quoted_home_is_the_users_folder(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert run(app, ["phantom", "~/simulated", "--patients", "1"]) == 0
    assert (tmp_path / "simulated").is_dir()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the current folder")
def test_a_folder_that_vanishes_under_the_command_is_reported(monkeypatch, tmp_path, capsys):
    (tmp_path / "drive").mkdir()
    monkeypatch.chdir(tmp_path / "drive")
    (tmp_path / "drive").rmdir()
    assert run(app, ["check", "cohort"]) == 1
    assert "the current folder is not there any more" in capsys.readouterr().err
