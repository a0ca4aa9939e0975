"""The JSON files that programs read keep their keys as long as they keep the number of their format.

If a key was added on purpose: BREASTPCR_KEEP_KEYS=1 python -m pytest Testing/Python/public/test_formats.py, and look at
the difference. If one went or means something else, raise the file's `format` first (`Resources/Docs/files.md`).
"""

import json
import os

import breastpcr
import pytest
from PCRPredictorLib.archive.journal import Entry, open_journal
from PCRPredictorLib.curves.summary import measure_kinetics
from PCRPredictorLib.exam import exam_to_json
from PCRPredictorLib.follow.content import to_json
from PCRPredictorLib.prediction import evidence_map_to_json
from support.documentation import ROOT
from support.examples import tiny_prediction as predicted
from support.examples import two_lesions
from support.follow.examples import tiny_course
from support.follow.examples import tiny_prediction as predicted_course
from support.formats.json_keys import keep, kept, keys_of
from support.training_cohort import write_cohort

EXAM = two_lesions()


def _prediction():
    kinetics = measure_kinetics(EXAM)
    found = {"kinetics": kinetics and kinetics.to_json(), "exam": exam_to_json(EXAM)}
    return {**predicted(EXAM).to_json(), **found}


def _journal(place):
    with open_journal(place / "predictions.jsonl", {"model": "abc", "operating_point": None}) as journal:
        journal.append(Entry("one", [{"patient_id": "one", "probability": "0.5"}], inputs="1"))
    first, second = (place / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return {**json.loads(first), "then": json.loads(second)}


@pytest.fixture(scope="module")
def contents(trained, tmp_path_factory):
    """Return the content of each file by its name."""
    place = tmp_path_factory.mktemp("formats")
    elsewhere = write_cohort(place / "elsewhere", 8, prefix="Q", seed=50)
    evaluation = breastpcr.evaluate(elsewhere, place / "e", model=trained / "bundle")
    course = tiny_course(3)
    found = {
        "prediction.json": _prediction(),
        "evidence.json": evidence_map_to_json(predicted(EXAM), EXAM.geometry.voxel_volume),
        "follow.json": to_json(course, predicted_course(course), {}, {}),
        "evaluation.json": evaluation.results,
        "predictions.jsonl": _journal(place),
        "summary.json": json.loads((trained / "summary.json").read_text(encoding="utf-8")),
        "run.json": json.loads((trained / "run.json").read_text(encoding="utf-8")),
    }
    return json.loads(json.dumps(found))


NAMES = [f"{name}.json" for name in ("prediction", "evidence", "follow", "summary", "evaluation", "run")]
NAMES += ["predictions.jsonl"]


@pytest.mark.parametrize("name", NAMES)
def test_keys_stay_as_long_as_the_format(name, contents):
    if os.environ.get("BREASTPCR_KEEP_KEYS"):
        keep(name, contents[name])
    known = kept()[name]
    assert contents[name]["format"] == known["format"], "a new format: note its keys, see above"
    now = set(keys_of(contents[name]))
    assert set(known["keys"]) - now == set(), "a key went or changed its type: raise the format of this file"
    assert now - set(known["keys"]) == set(), "new keys: note them, see above"


@pytest.mark.parametrize("name", NAMES)
def test_the_page_about_files_has_the_number(name, contents):
    page = (ROOT / "Resources" / "Docs" / "files.md").read_text(encoding="utf-8").partition("## Formats")[2]
    (row,) = [line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]
    assert row.split("|")[2].strip() == str(contents[name]["format"])
