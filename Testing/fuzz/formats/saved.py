"""A result that a scene keeps, as text."""

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..format import Attack, Format, library


def _make(folder: Path) -> None:
    from dataclasses import replace

    from PCRPredictorLib.prediction import LesionPrediction
    from PCRPredictorLib.saved.result import SavedResult, pack_result, write_result
    from support.examples import tiny_exam, tiny_prediction

    exam = tiny_exam()
    one = tiny_prediction(exam)
    prediction = replace(one, lesions=(LesionPrediction("first", one, 1), LesionPrediction("second", one, 2)))
    saved = SavedResult(prediction, {"age": 52.0}, {"age": 52.0, "hr": None}, "", "tumour", 1)
    (folder / "result.json").write_text(write_result(saved, pack_result(exam, prediction), exam), encoding="utf-8")


def _read(inputs: Path, out: Path) -> None:
    """Read the result and describe it, as panel and page do."""
    from PCRPredictorLib.saved.result import read_result
    from support.examples import tiny_exam

    text = (inputs / "result.json").read_bytes().decode("utf-8", "surrogateescape")
    found = read_result(text, tiny_exam().geometry.shape).prediction
    for each in (found, *(lesion.prediction for lesion in found.lesions)):
        json.dumps(each.to_json(), allow_nan=False)


def _change(change: Callable[[dict[str, Any]], object]) -> Attack:
    def attack(folder: Path) -> None:
        path = folder / "result.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")

    return attack


def _map(**values: object) -> Attack:
    return _change(lambda content: content["maps"][0].update(values))


def _zeros(megabytes: int) -> str:
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return base64.b64encode(b"".join([*pieces, packer.flush()])).decode()


ATTACKS: dict[str, Attack] = {
    "a map that inflates to 2 GB": lambda folder: _map(voxels=_zeros(2048))(folder),
    "a map of 10^18 voxels": _map(shape=[10**6] * 3, box=[[0, 10**6]] * 3),
    "a box beyond the exam": _map(box=[[0, 10**9]] * 3),
    "a box that is turned": _map(box=[[5, 2]] * 3),
    "a map that ends early": lambda folder: _change(
        lambda content: content["maps"][0].update(voxels=content["maps"][0]["voxels"][:40])
    )(folder),
    "a map that is no base64": _map(voxels="\u202e"),
    "a map that is a number": _change(lambda content: content.update(maps=[5] * len(content["maps"]))),
    "a million maps": _change(lambda content: content.update(maps=[None] * 10**6)),
    "a probability of 7": _change(lambda content: content["prediction"].update(probability=7.0)),
    "a probability of NaN": _change(lambda content: content["prediction"].update(probability=float("nan"))),
    "a lesion without a prediction": _change(lambda content: content["lesions"][1].pop("prediction")),
    "an unknown field": _change(lambda content: content["prediction"].update({"[/red]\x1b[2J": 1})),
    "200,000 brackets": lambda folder: (folder / "result.json").write_text("[" * 200_000) and None,
    "a number of 5,000 digits": lambda folder: (
        (folder / "result.json").write_text('{"format": ' + "9" * 5000 + "}") and None
    ),
    "nothing": lambda folder: (folder / "result.json").write_text("") and None,
}
FORMATS = (Format("saved", _make, faces={"scene": library(_read)}, attacks=ATTACKS, targets=("result.json",)),)
