"""The five faces that a cohort has: `FACES` is a name and a function that reads one and says what came of it.

Each returns the patients that have a result, and every line of text that a user sees.
"""

import asyncio
import contextlib
import csv
import io
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_MODULE = ROOT / "PCRPredictor" / "PCRPredictor.py"
_TIMEOUT_S = 120
TRAINING = """{"steps": [{"name": "step1", "epochs": 1, "attention": true}], "widths": [4, 6, 8], "batch_size": 8,
 "split": {"kind": "holdout", "share": 0.3}, "grid": {"slices": 8, "size": 24}}"""


def load():
    """Load what the faces need, once for all of their processes."""
    from PCRPredictorView.opengl import check_possible

    check_possible()
    import PCRTrainingLib.cohort.check
    import PCRTrainingLib.command_line
    import PCRTrainingLib.runs.train  # noqa: F401


def _run(*words):
    """Run `pcr`; return its exit status and the lines that it has written."""
    from PCRTrainingLib.command_line import app, run

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(app, [str(word) for word in words])
    return code, said.getvalue().splitlines()


def check(cohort, _out, names):
    """Run `pcr check`."""
    code, lines = _run("check", cohort)
    usable = next((int(line.split()[0]) for line in lines if "can be used for training" in line), 0)
    return list(names)[:usable] if code in (0, 1) else [], lines


def predict(cohort, out, _names):
    """Run `pcr predict --cohort`."""
    _code, lines = _run("predict", "--cohort", cohort, "--model", "phantom", "--out", out, "--workers", 1)
    with (out / "predictions.csv").open(newline="") as file:
        return [row["patient_id"] for row in csv.DictReader(file) if row["probability"]], lines


def train(cohort, out, _names):
    """Run `pcr train`."""
    config = out.with_name("config.json")
    config.write_text(TRAINING)
    _code, lines = _run("train", cohort, "--out", out, "--config", config, "--workers", 1)
    with (out / "splits.csv").open(newline="") as file:
        rows = [row["patient_id"] for row in csv.DictReader(file)]
    return rows if (out / "bundle").is_dir() else [], lines


def batch(cohort, out, _names):
    """Predict by the panel's section *Batch*."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    import slicer
    from harness import session

    session.start()
    messages = []
    slicer.util.errorDisplay = lambda text, **_options: messages.append(text)
    panel = session.open_module(_MODULE)
    panel.ui.cohortPath.currentPath, panel.ui.batchOutPath.currentPath = str(cohort), str(out)
    panel.ui.batchButton.click()
    session.wait(lambda: not panel.batch.running, _TIMEOUT_S)
    table = panel.ui.batchTable
    rows = [[table.item(row, k).text() for k in range(table.columnCount)] for row in range(table.rowCount)]
    lines = [f"{row[0]}: {cell}" for row in rows for cell in row[6:7] if cell] + messages
    return [row[0] for row in rows if row[1]], [*lines, panel.ui.batchStatusLabel.text]


def page(cohort, _out, _names):
    """Click *Predict all* in the code of the page."""
    return asyncio.run(_predict_all(cohort))


async def _predict_all(cohort):
    from PCRPredictorLib.reading.sources import find_sources
    from PCRPredictorView.page import Page
    from trame_server import Server

    said = []
    page = Page(Server(client_type="vue3"), find_sources([cohort]), "phantom", Path(tempfile.mkdtemp()))
    page.session.activity.on_problem.append(said.append)
    page.exams.list.predict_all()
    while page.exams.list.is_predicting:
        await asyncio.sleep(0.05)
    rows = page.exams.list.rows
    return [row.name for row in rows if row.probability], [f"{r.name}: {r.problem}" for r in rows if r.problem] + said


FACES = {"check": check, "predict": predict, "train": train, "batch": batch, "page": page}


def act(face, cohort, out, names, pipe):
    """Do what one face does, in a process of its own; send what came of it as JSON."""
    with contextlib.suppress(OSError):
        sys.stderr = out.with_name("errors.txt").open("w")  # until the process ends
    try:
        rows, lines = FACES[face](cohort, out, names)
        pipe.send_bytes(json.dumps({"rows": rows, "lines": lines}).encode())
    except BaseException as error:
        pipe.send_bytes(json.dumps({"rows": [], "lines": [], "failed": repr(error)[:300]}).encode())
    pipe.close()
    os._exit(0)
