"""What a step keeps: weights, read without unpickling, and scores; refused in one sentence if they are damaged."""

import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from PCRPredictorLib.writing import read_csv
from safetensors.torch import load_file
from torch import Tensor, nn

from ..run_files import refusing_damage
from ..statistics.operating import Scores

SCORES = [field.name for field in fields(Scores)]


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name.

    Raises:
        FileNotFoundError: if there is none.
        DataError: if it is damaged.
    """
    with refusing_damage(path, again(path)):
        return load_file(path)


def load_weights(network: nn.Module, path: Path) -> None:
    """Give a network the weights of a file.

    Raises:
        FileNotFoundError: if there is none.
        DataError: if it is damaged, or of a different network.
    """
    weights = read_weights(path)
    with refusing_damage(path, again(path)):
        network.load_state_dict(weights)


def read_scores(path: Path, patients: Sequence[str]) -> list[list[float]]:
    """Return the values of `SCORES` of each patient.

    Raises:
        FileNotFoundError: if there is no such file.
        DataError: if it is damaged.
    """
    with refusing_damage(path, again(path)):
        rows = {row["patient_id"]: row for row in read_csv(path)}
        found = [[float(rows[name].get(column, "nan")) for column in SCORES] for name in patients]
        if not all(math.isfinite(values[SCORES.index("logit")]) for values in found):
            raise ValueError("a logit is not finite")
    return found


def again(path: Path) -> str:
    """Return what to do about a damaged file of a step."""
    return f"remove the folder {path.parent} and resume the run, which trains this step again"
