"""Words of a call that hold markup, escape sequences, NUL or too many letters end in a sentence."""

import sys

import pytest

if sys.platform != "linux":
    pytest.skip("commands are tried in forked children with limits of Linux", allow_module_level=True)

from fuzz.format import Format, pcr
from fuzz.sandbox import load_program
from fuzz.trial import try_input

EVIL = "[/red][link=file:///x]\x1b[2J\u202e{0}"
LONG = "a" * 5000
CALLS = {
    "an unknown option": lambda i, o: ["predict", "--" + EVIL, "1"],
    "an unknown command": lambda i, o: [EVIL],
    "a model": lambda i, o: ["bundle", "info", EVIL],
    "a model with a long name": lambda i, o: ["bundle", "info", LONG],
    "a zip file": lambda i, o: ["bundle", "export", f"{i / EVIL}/x.zip"],
    "a cohort": lambda i, o: ["predict", "--cohort", i / EVIL, "--out", o],
    "a cohort with a long name": lambda i, o: ["predict", "--cohort", i / LONG, "--out", o],
    "a cohort to check": lambda i, o: ["check", i / EVIL],
    "a cohort with NUL": lambda i, o: ["check", f"{i}/a\0b"],
    "a position": lambda i, o: ["predict", "--click", EVIL, "--out", o],
    "a device": lambda i, o: ["predict", "--device", EVIL, "--dicom", i, "--out", o],
    "an operating point": lambda i, o: ["predict", "--operating-point", EVIL, "--dicom", i, "--out", o],
    "a clinical value": lambda i, o: ["predict", "--phases", *"abc", "--clinical", f"{EVIL}={EVIL}", "--out", o],
    "a cluster": lambda i, o: ["predict", "--cohort", i, "--cluster", EVIL, "--out", o],
    "results with NUL": lambda i, o: ["predict", "--phases", *"abc", "--out", f"{o}/a\0b"],
    "results nowhere": lambda i, o: ["predict", "--dicom", i, "--out", ""],
    "results at the root": lambda i, o: ["phantom", "/"],
    "results in the input": lambda i, o: ["predict", "--dicom", i, "--out", i],
    "a visit": lambda i, o: ["follow", "--visit", EVIL, i, "--visit", "T1", i, "--out", o],
    "a day of 400 digits": lambda i, o: [
        "follow",
        "--visit",
        "T0",
        i,
        "--visit",
        "T1",
        i,
        "--day",
        "T1",
        "9" * 400,
        "--out",
        o,
    ],
    "a unit": lambda i, o: ["follow", "--table", i / "visits.csv", "--unit", EVIL, "--out", o],
    "a mapping": lambda i, o: ["follow", "--table", i / "visits.csv", "--mapping", i / EVIL, "--out", o],
    "a label": lambda i, o: ["label", i, EVIL, EVIL],
    "a folder to describe": lambda i, o: ["init", i / EVIL],
    "a folder to import": lambda i, o: ["import", i / EVIL, o],
    "a configuration": lambda i, o: ["train", i, "--config", i / EVIL, "--out", o],
    "a card": lambda i, o: ["train", i, "--card", i / EVIL, "--out", o],
    "a model to evaluate": lambda i, o: ["evaluate", i, "--model", EVIL, "--out", o],
    "candidates": lambda i, o: ["select", i, "--configs", i / EVIL, "--out", o],
    "a seed below zero": lambda i, o: ["demo", "--seed", "-1", "--out", o],
}


def write_table(folder):
    (folder / "visits.csv").write_text("patient_id,longest_diameter_mm_T0\nA,1\nB,3\n")


@pytest.mark.parametrize("name", CALLS)
def test_call_ends_in_a_sentence(name, tmp_path):
    load_program()
    (tmp_path / "intact").mkdir()
    write_table(tmp_path / "intact")
    kind = Format("call", write_table, {})
    trial = try_input(kind, tmp_path / "intact", lambda _: None, pcr(CALLS[name]), tmp_path / "work")
    assert not trial.finding
    assert trial.ending.code in (1, 2)
