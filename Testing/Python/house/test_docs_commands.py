"""Every command of the documentation works: it is run as written, in a folder with the files that it names.

To take seconds in place of hours, exams and cohorts are tiny, `full` is a tiny configuration, an experiment has one
seed, a simulated cohort has two patients, and two workers do what the text has more do.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import typer
from PCRPredictorLib.command_line import run
from PCRPredictorLib.exam import PHASE_NAMES, Exam
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.phantom.cohort import write_courses
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.phantom.site import find_site
from PCRPredictorLib.reading.mapping import CohortMapping, read_mapping
from PCRPredictorLib.writing import write_nifti
from PCRTrainingLib import config
from PCRTrainingLib.command_line import app
from PCRTrainingLib.intake.describe import init_cohort
from PCRTrainingLib.response import config as response_config
from pydantic import TypeAdapter, ValidationError
from support.dicom_exam import write_dicom_exam
from support.documentation import COMMANDS, PAGES, ROOT, blocks, code, inline
from support.follow.files import write_followed
from support.own_cohort import write_dicom_patient, write_german_cohort, write_workbook
from support.response.visit_tables import only, other_trial, simulate, write_csv
from support.training_cohort import write_cohort

TRAINING = ROOT / "Resources" / "Docs" / "training.md"
TINY = config.TrainingConfig(
    config.stepwise(1), split=config.SplitConfig(folds=2), grid=GridSpec(size=32), widths=(4, 6, 8), batch_size=4
)
TINY_RESPONSE = response_config.ResponseConfig(candidates=(response_config.Candidate(),), folds=2, repeats=1)
UsageError = typer.BadParameter.__base__  # of click, of which typer has its own copy


def words_of(line):
    return shlex.split(line.split("  #")[0], comments=True)


def is_call(words):
    """Report if these words are a whole call; `pcr train` in a sentence is not."""
    words = words[1:]
    name = words.pop(0) if words else ""
    command = COMMANDS.get(name)
    while command is not None and hasattr(command, "commands"):
        name = words.pop(0) if words else ""
        command = command.commands.get(name)
    try:
        return command is not None and bool(command.make_context(name, words))
    except UsageError:
        return False


ELSEWHERE = (
    "--leave-site-out",
    "Resources/Recipes/",
    "build/",
    "--cluster",
    "pcr federate",
    "pcr pacs",
)  # of runs that take minutes or need a PACS; other tests have small ones


def calls():
    """Return the calls of `pcr` in all pages that are run here, each once."""
    found = {}
    for page in PAGES:
        for line in code(page):
            if line.startswith("pcr ") and is_call(words := words_of(line)):
                found[shlex.join(words)] = None
    return [call for call in found if not any(part in call for part in ELSEWHERE)]


IN_FOLDER = [
    "visits.csv",
    "clinical.csv",
    "trial.xlsx",
    "hospital",
    "archive",
    "clinic.xlsx",
    "MAMA-MIA",
    "mama-mia.json",
    "a.json",
    "b.json",
    *(f"{n}.nii.gz" for n in (*PHASE_NAMES, "tumour")),
]


@pytest.fixture(scope="module")
def files(training_cohort, trained, tmp_path_factory):
    """Return the files that commands name, by option and name or by name alone."""
    folder = tmp_path_factory.mktemp("files")
    exam = make_exam(seed=2, full=False)
    exam = Exam(*(np.rint(p).astype(np.int16) for p in exam.phases), exam.geometry, exam.mask)
    write_dicom_exam(folder / "dicom", exam, "ge")
    for name, array in zip((*PHASE_NAMES, "tumour"), (*exam.phases, exam.mask), strict=True):
        write_nifti(array, exam.geometry, folder / f"{name}.nii.gz")
    (folder / "demo-out").mkdir()
    for name in (*PHASE_NAMES, "tumour"):
        shutil.copy(folder / f"{name}.nii.gz", folder / "demo-out")
    benchmark = shutil.copytree(training_cohort, folder / "MAMA-MIA")
    rows = "".join(f"P{k},P{k + 8}\n" for k in range(8))
    (benchmark / "train_test_splits.csv").write_text("train_split,test_split\n" + rows)
    given = next(text for text in inline(TRAINING) if text.startswith('{"split": {"kind": "given"'))
    (folder / "mama-mia.json").write_text(given)
    for name, width in (("a", 0), ("b", 8)):
        text = json.dumps(config.config_to_json(replace(TINY, clinical_width=width)))
        (folder / f"{name}.json").write_text(text)
    hospital = write_german_cohort(folder / "hospital")
    init_cohort(hospital)
    write_dicom_patient(folder / "archive", 1)
    write_workbook(folder / "clinic.xlsx", [["PatientID", "pCR"], ["7001", "yes"]])
    stopped = shutil.copytree(trained, folder / "stopped")
    shutil.rmtree(stopped / "fold_1" / "step3")
    elsewhere = write_cohort(folder / "elsewhere", 8, prefix="Q", seed=50)
    local = write_cohort(folder / "clinic", 20, prefix="L", seed=70)
    seen = simulate(150)
    write_csv(only(seen, [name for name in seen if "_T" in name or name == "patient_id"]), folder / "visits.csv")
    write_csv(only(seen, ["patient_id", "age", "hr", "her2", "pcr"]), folder / "clinical.csv")
    other_trial(folder / "trial.xlsx", 40, visits=2)
    write_courses(folder / "treated", 1, find_site("A"))
    second = shutil.copytree(trained / "bundle", folder / "second")
    return {
        **{name: folder / name for name in IN_FOLDER},
        "cohort": training_cohort,
        "elsewhere": elsewhere,
        "duke": elsewhere,
        "clinic": local,
        "hospital-A": training_cohort,
        "hospital-B": elsewhere,
        "later": elsewhere,
        ("--model", "ours"): trained / "bundle",
        "model": second,
        "run/bundle": trained / "bundle",
        "run2/bundle": second,
        ("--dicom", "folder"): folder / "dicom",
        "folder": folder / "dicom",
        **write_followed(folder, exam),
        ("--cohort", "folder"): training_cohort,
        ("--table", "trial"): folder / "treated",
        "demo-out": folder / "demo-out",
        ("--resume", "run"): stopped,
    }


def copy_files(words, files, here):
    """Copy the files that a call names into the folder where it is run, but not those that it writes."""
    option = ""
    for word in words:
        option = word if word.startswith("--") else option
        keys = [(option, word), ("--resume" if "--resume" in words else "", word), word]
        source = next((files[key] for key in keys if key in files), None)
        if source is not None and word != option:
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            (here / word).parent.mkdir(exist_ok=True)
            copy(source, here / word)


TRAINS = ("pcr train", "pcr select", "pcr experiment")


@pytest.mark.parametrize(
    "call", [pytest.param(call, marks=pytest.mark.slow) if call.startswith(TRAINS) else call for call in calls()]
)
def test_command_works(call, files, tmp_path, monkeypatch, capfd):
    words = shlex.split(call)[1:]
    if words[0] == "phantom":
        if "--patients" in words:
            words[words.index("--patients") + 1] = "2"
    elif words[0] != "demo":
        copy_files([word for word in words if words[0] != "import" or word != "cohort"], files, tmp_path)
    if words[0] == "init" and (tmp_path / words[1]).is_dir():
        (tmp_path / words[1] / "cohort.json").unlink()
    if words[0] == "label" and "--undo" in words:
        assert run(app, ["label", str(tmp_path / words[1]), "P3", "yes"]) == 0
    if words[0] == "experiment":
        words += ["--seeds", "1"]
    if "--workers" in words:
        words[words.index("--workers") + 1] = "2"
    if words[0] == "view":  # would serve until it is stopped; other tests do that
        monkeypatch.setattr("PCRPredictorView.command.page_starter", lambda entries, *_: entries)
        monkeypatch.setattr(
            "PCRPredictorView.command.serve", lambda _settings, entries, _ready: [entry.read() for entry in entries]
        )
    monkeypatch.setattr("PCRPredictorLib.commands.demo.make_exam", lambda seed: make_exam(seed, full=False))
    monkeypatch.setitem(config.PRESETS, "full", TINY)
    monkeypatch.setitem(response_config.PRESETS, "full", TINY_RESPONSE)
    monkeypatch.setattr("PCRTrainingLib.runs.train.refusal", lambda *_model: "")  # with so few epochs
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # no child processes, which take seconds to start
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert run(app, words) == 0, capfd.readouterr()
    assert capfd.readouterr().err == ""  # no library says anything
    out = Path(words[words.index("--out") + 1]) if "--out" in words else None
    new = {path.name for path in set(tmp_path.iterdir()) - before}
    written = [Path(word).with_suffix(".json").name for word in words[1:2]] if words[0] == "init" else []
    assert new <= set(out.parts[:1] if out else [*words[1:4], "pcr-demo", *written])
    assert out is None or any(out.iterdir())


PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r'"([\w./-]+)"')  # in a program: names of files are among these


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if PYTHON.search(p.read_text(encoding="utf-8"))], ids=lambda p: p.name
)
def test_python_of_the_documentation_runs(page, files, tmp_path, monkeypatch):
    program = "\n".join(PYTHON.findall(page.read_text(encoding="utf-8")))
    copy_files(["--visit", *NAMED.findall(program)], files, tmp_path)
    monkeypatch.setitem(config.PRESETS, "quick", TINY)
    monkeypatch.setattr("PCRTrainingLib.runs.train.refusal", lambda *_model: "")
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    for out in re.findall(r'out="(\w+)"', program):
        assert any((tmp_path / out).glob("*.json")), out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_line_of_a_code_block_is_a_whole_call(page):
    lines = [line for block in blocks(page) for line in block.splitlines() if line.startswith("pcr ")]
    assert [line for line in lines if not is_call(words_of(line))] == []


def test_a_wrong_call_is_found():
    assert is_call(["pcr", "check", "cohort"])
    assert not is_call(["pcr", "check"])
    assert not is_call(["pcr", "check", "cohort", "--no-such-option"])
    assert not is_call(["pcr", "no-such-command", "cohort"])


def make_calls():
    lines = {line.partition("#")[0].rstrip(" \\").strip() for page in PAGES for line in code(page)}
    return sorted(line for line in lines if re.match(r"make [\w-]+", line))


@pytest.mark.parametrize("line", make_calls())
def test_make_target_runs_existing_commands(line):
    if os.name == "nt" or not shutil.which("make"):
        pytest.skip("needs make, and a shell")
    named = {**os.environ, "COHORT": "folder", "TABLES": "a.csv"}  # sentences omit them
    planned = subprocess.run(
        ["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, env=named, capture_output=True, text=True
    )
    assert planned.returncode == 0, planned.stderr
    for step in planned.stdout.replace("\\\n", " ").splitlines():
        words = shlex.split(step) if step.startswith(".venv/bin/") else [""]
        if words[0].endswith("/pcr"):
            assert is_call(words), step
        assert all((ROOT / word).exists() for word in words if re.fullmatch(r"(Resources|Testing)/[\w./-]+", word)), (
            step
        )


def test_pip_accepts_the_documented_calls():
    from pip._internal.commands import create_command

    lines = [line for page in PAGES for line in code(page)]
    pip = [re.split(r"pip (download|install) ", line)[1:] for line in lines if re.search(r"\bpip (down|inst)", line)]
    assert len(pip) >= 3
    for verb, words in pip:
        options, _ = create_command(verb).parse_args(shlex.split(words))
        for name in (*options.requirements, *options.constraints):
            assert (ROOT / name).is_file(), name


COHORT_KEYS = {field.name for field in fields(CohortMapping)}  # of cohort.json


def test_named_settings_exist():
    step = TypeAdapter(config.Step)
    for page in PAGES:
        for text in inline(page):
            if page.name == "clusters.md":  # settings of clusters, which `test_launchers` reads
                continue
            if text.startswith('{"kind"'):
                config.parse_config(f'{{"split": {text}}}', text)
            elif text.startswith('{"split"'):
                config.parse_config(text, text)
            elif (named := re.match(r'"(\w+)": ', text)) and named[1] not in COHORT_KEYS:
                try:
                    step.validate_json(f'{{"name": "any", "epochs": 1, {text}}}')
                except ValidationError:
                    config.parse_config(f"{{{text}}}", text)


def test_mapping_file_of_the_documentation_can_be_read(tmp_path):
    (text,) = (block for block in blocks(TRAINING) if block.startswith('{"table"'))
    (tmp_path / "cohort.json").write_text(text)
    assert read_mapping(tmp_path).columns["patient_id"] == "Patient"


@pytest.mark.parametrize("target", ["experiment", "ispy2-bundle", "ispy2-selection", "ispy2-experiment"])
def test_target_without_a_cohort_is_refused_before_anything_is_deleted(target):
    if os.name == "nt" or not shutil.which("make"):
        pytest.skip("needs make")
    planned = subprocess.run(["make", "-n", "-o", "setup", target, "COHORT="], cwd=ROOT, capture_output=True, text=True)
    assert planned.returncode == 2
    assert f"COHORT must be the folder of a cohort; give it as in make {target} COHORT=folder" in planned.stderr
    assert "rm " not in planned.stdout
