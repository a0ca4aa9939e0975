"""The five faces that a cohort has: `FACES` is a name and a function that reads one and returns what came of it.

That is the patients that have a result, the sentence of each that has none, and every line of text that a user sees.
"""

import asyncio
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_MODULE = ROOT / "PCRPredictor" / "PCRPredictor.py"
_TIMEOUT_S = 600
_PROBLEM = re.compile(r"(?P<count>\d+) patients: (?P<reason>.*) \((?P<names>.*)\)|(?P<name>.+?): (?P<only>.*)")
TRAINING = """{"steps": [{"name": "step1", "epochs": 1, "attention": true}], "widths": [4, 6, 8], "batch_size": 8,
 "split": {"kind": "holdout", "share": 0.3}, "grid": {"slices": 8, "size": 24}}"""


def load():
    """Load what the faces need, once for all of their processes."""
    from PCRPredictorView.opengl import check_possible

    check_possible()
    import PCRTrainingLib.cohort.check
    import PCRTrainingLib.command_line
    import PCRTrainingLib.runs.train  # noqa: F401
    from PCRPredictorLib.child import begin_program

    begin_program()


def _run(*words):
    """Run `pcr`; return its exit status and the lines that it has written."""
    from PCRTrainingLib.command_line import app, run

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(app, [str(word) for word in words])
    return code, said.getvalue().splitlines()


def _found(rows, problems, lines):
    return {"rows": rows, "problems": problems, "lines": lines}


def check(cohort, _out, _model):
    """Run `pcr check`; what it does not name can be used."""
    from PCRPredictorLib.reading.cohort import find_patients

    code, lines = _run("check", cohort)
    problems = {}
    for line in lines:
        if not line.startswith("warning: ") and (found := _PROBLEM.fullmatch(line)):
            names = found["names"].split(", ") if found["names"] else [found["name"]]
            problems |= dict.fromkeys(names, found["reason"] or found["only"])
    usable = next((int(line.split()[0]) for line in lines if "can be used for training" in line), None)
    names = [patient.patient_id for patient in find_patients(cohort)]
    rows = [name for name in names if not {name, name.encode("unicode_escape").decode()} & problems.keys()]
    return _found(rows if code in (0, 1) and usable == len(rows) else [], problems, lines)


def predict(cohort, out, model):
    """Run `pcr predict --cohort`."""
    _code, lines = _run("predict", "--cohort", cohort, "--model", model, "--out", out, "--workers", 1)
    return _found(*_results(out), lines)


def _results(out):
    """Return the patients with a prediction, and the problems of the others, of a table of predictions."""
    from PCRPredictorLib.writing import read_csv

    rows = read_csv(out / "predictions.csv")
    return [row["patient_id"] for row in rows if row["probability"]], {
        row["patient_id"]: row["error"] for row in rows if row["error"]
    }


def train(cohort, out, _model):
    """Run `pcr train`."""
    from PCRPredictorLib.writing import read_csv

    config = out.with_name("config.json")
    config.write_text(TRAINING)
    _code, lines = _run("train", cohort, "--out", out, "--config", config, "--workers", 1, "--keep-anyway")
    left_out = {row["patient_id"]: row["reason"] for row in read_csv(out / "quarantine.csv")}
    rows = [row["patient_id"] for row in read_csv(out / "splits.csv")] if (out / "bundle").is_dir() else []
    return _found(rows, left_out, lines)


def batch(cohort, out, model):
    """Predict by the panel's section *Batch*."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    import slicer
    from harness import session

    session.start()
    messages = []
    slicer.util.errorDisplay = lambda text, **_options: messages.append(text)
    panel = session.open_module(_MODULE)
    panel.session.choose_model(model)
    panel.ui.cohortPath.currentPath, panel.ui.batchOutPath.currentPath = str(cohort), str(out)
    panel.ui.batchButton.click()
    session.wait(lambda: not panel.batch.running, _TIMEOUT_S)
    table = panel.ui.batchTable
    shown = [[table.item(row, k).text() for k in range(table.columnCount)] for row in range(table.rowCount)]
    problems = {row[0]: row[6] for row in shown if row[6]}
    lines = [f"{name}: {text}" for name, text in problems.items()] + messages
    return _found([row[0] for row in shown if row[1]], problems, [*lines, panel.ui.batchStatusLabel.text])


def page(cohort, _out, model):
    """Click *Predict all* in the code of the page."""
    return asyncio.run(_predict_all(cohort, model))


async def _predict_all(cohort, model):
    from PCRPredictorLib.reading.sources import find_sources
    from PCRPredictorView.page import Page
    from trame_server import Server

    said = []
    page = Page(Server(client_type="vue3"), find_sources([cohort]), str(model), Path(tempfile.mkdtemp()))
    page.session.activity.on_problem.append(said.append)
    page.exams.list.predict_all()
    while page.exams.list.is_predicting:
        await asyncio.sleep(0.05)
    rows = page.exams.list.rows
    problems = {row.name: row.problem for row in rows if row.problem}
    said += getattr(page.exams.state.data, "left_out", [])
    return _found([row.name for row in rows if row.probability], problems, said)


FACES = {"check": check, "predict": predict, "train": train, "batch": batch, "page": page}


def act(face, cohort, out, model, pipe):
    """Do what one face does, in a process of its own; send what came of it as JSON."""
    with contextlib.suppress(OSError):
        sys.stderr = out.with_name("errors.txt").open("w")  # until the process ends
    try:
        found = FACES[face](cohort, out, model)
    except BaseException as error:
        traceback.print_exc()
        found = {**_found([], {}, []), "failed": repr(error)[:300]}
    times = os.times()
    found["cpu"] = times.user + times.system + times.children_user + times.children_system
    pipe.send_bytes(json.dumps(found).encode())
    pipe.close()
    os._exit(0)
