"""Damaged run folders: `KINDS` is a name and a function that damages a finished run of `pcr train`."""

import json
import os

import torch
from safetensors.torch import load_file, save_file

JSON = ("kind", "config", "run", "schema", "sessions", "summary", "cache/patients", "cache/contents")
TABLES = (
    "splits",
    "quarantine",
    "cache/quarantine",
    "fold_0/step1/history",
    "fold_1/step1/predictions",
    "fold_0/step3/predictions",
)
_WEIGHTS = "fold_1/step3/weights.safetensors"
_CONTENTS = {
    "empty": b"",
    "200,000 brackets": b"[" * 200_000,
    "a list": b"[]",
    "a list of numbers": b"[5, 6]",
    "a number": b"5",
    "other objects": b'{"a": {"b": [1]}}',
    "a number of 5,000 digits": b'{"format": ' + b"9" * 5000 + b"}",
    "no text": b"\xff\xfe{\xff",
    "half of it": None,
}
_ROWS = {
    "empty": b"",
    "zeros": bytes(500),
    "other columns": b"a,b\n1,2\n",
    "a quote that never ends": b'patient_id,fold\n"P0,0\n' + b"x" * 200_000,
    "no text": b"patient_id\n\xff\xfe\n",
    "half of it": None,
}


def _replace(name, content):
    def damage(run):
        file = run / name
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] if content is None else content)

    return damage


def _pipe(name):
    def damage(run):
        (run / name).unlink()
        os.mkfifo(run / name)

    return damage


def _values(name, change):
    """Return the damage of every value of a JSON file: each object has others at its places."""

    def damage(run):
        file = run / name
        file.write_text(json.dumps(_changed(json.loads(file.read_text()), change)))

    return damage


def _changed(content, change):
    if isinstance(content, dict):
        return {name: _changed(value, change) for name, value in content.items()}
    return [_changed(value, change) for value in content] if isinstance(content, list) else change(content)


def _cells(name, change):
    def damage(run):
        first, *lines = (run / name).read_text().splitlines()
        (run / name).write_text("\n".join([first, *(change(line) for line in lines)]) + "\n")

    return damage


def _tensors(change):
    def damage(run):
        save_file({name: change(tensor) for name, tensor in load_file(run / _WEIGHTS).items()}, run / _WEIGHTS)

    return damage


KINDS = {
    **{f"{name}.json: {kind}": _replace(f"{name}.json", what) for name in JSON for kind, what in _CONTENTS.items()},
    **{f"{name}.json: lists for values": _values(f"{name}.json", lambda _: [1]) for name in JSON},
    **{f"{name}.json: texts for values": _values(f"{name}.json", lambda _: "x") for name in JSON},
    **{f"{name}.csv: {kind}": _replace(f"{name}.csv", what) for name in TABLES for kind, what in _ROWS.items()},
    **{f"{name}.csv: words": _cells(f"{name}.csv", lambda line: "x" + line[1:] + "x") for name in TABLES},
    **{f"{name}.csv: short": _cells(f"{name}.csv", lambda line: line.split(",")[0]) for name in TABLES},
    "splits.csv: a fold of 10^30": _cells("splits.csv", lambda line: line[:-1] + "9" * 30),
    "predictions.csv: logits NaN": _cells(
        "fold_0/step3/predictions.csv", lambda line: ",".join([*line.split(",")[:2], *["nan"] * 4])
    ),
    "weights: empty": _replace(_WEIGHTS, b""),
    "weights: cut": _replace(_WEIGHTS, None),
    "weights: a pickle": _replace(_WEIGHTS, b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."),
    "weights: of a different shape": _tensors(lambda tensor: tensor[None]),
    **{f"{name}: a pipe": _pipe(name) for name in ("kind.json", "config.json", "splits.csv", "summary.json", _WEIGHTS)},
    "grids: cut": _replace("cache/grids.f16", None),
    "grids: empty": _replace("cache/grids.f16", b""),
}


def spoil_checkpoint(content):
    """Return the damage of a run that was stopped in its last step."""

    def damage(run):
        step = run / "fold_1" / "step3"
        for name in ("weights.safetensors", "predictions.csv"):
            (step / name).unlink()
        (run / "summary.json").unlink()
        if isinstance(content, bytes):
            (step / "checkpoint.pt").write_bytes(content)
        else:
            torch.save(content, step / "checkpoint.pt")

    return damage


CHECKPOINTS = {
    "checkpoint: empty": spoil_checkpoint(b""),
    "checkpoint: a pickle": spoil_checkpoint(b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."),
    "checkpoint: a list": spoil_checkpoint([1]),
    "checkpoint: of nothing": spoil_checkpoint({key: {} for key in ("network", "optimizer", "schedule")}),
}
