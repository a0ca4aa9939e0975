"""The bundled networks of the story, and what was measured with them: `Resources/Models/story`.

    story.json      AUC of every network at both hospitals, and the patient to show
    <network>/      a bundle per network: single, step1, step2, step3

`PCRTrainingLib.runs.story_models` makes the folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..bundles.folder import model_folders
from ..errors import DataError
from ..model.bundle import Bundle, load_bundle
from ..phantom.traits import Traits

FORMAT = 1
STORY, FACTS = "story", "story.json"
UNGUIDED, GUIDED = "single", ("step1", "step2", "step3")
NETWORKS = (UNGUIDED, *GUIDED)
HOSPITALS = ("A", "B")


@dataclass(frozen=True)
class Measured:
    """A number of all patients of a hospital, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Hospital:
    """The patients of a hospital that the networks were tested on.

    Args:
        patients, responders: their numbers.
        best: AUC of the true probabilities; more is possible with a shortcut only.
    """

    patients: int
    responders: int
    best: float


@dataclass(frozen=True)
class Facts:
    """What was measured when the networks were trained.

    Args:
        command: that made this folder.
        trained_on: patients of hospital A.
        shortcut: correlation of the background's enhancement with the label at hospital A.
        hospitals: by name.
        auc: network to hospital to AUC.
        in_tumour: network to hospital to the mean share of the heat inside the tumour.
        enhancement: hospital to the mean share of a plain map of early enhancement inside the tumour.
        index, seed: of the patient to show, see `phantom.patient`.
        background: to show that patient with at hospital B, Ktrans in 1/min: as far below the mean as it is
            above it at A.
    """

    command: str
    trained_on: int
    shortcut: float
    hospitals: Mapping[str, Hospital]
    auc: Mapping[str, Mapping[str, Measured]]
    in_tumour: Mapping[str, Mapping[str, float]]
    enhancement: Mapping[str, float]
    index: int
    seed: int
    background: float

    def to_json(self) -> dict[str, object]:
        """Return plain values for `story.json`."""
        return {"format": FORMAT, **asdict(self)}


def facts_from_json(content: Mapping) -> Facts:
    """Return what `Facts.to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: if `content` is anything else.
    """
    values = dict(content)
    if values.pop("format") != FORMAT:
        raise ValueError(f"format must be {FORMAT}")
    hospitals = {name: Hospital(**each) for name, each in values.pop("hospitals").items()}
    auc = {
        network: {hospital: Measured(**found) for hospital, found in each.items()}
        for network, each in values.pop("auc").items()
    }
    return Facts(hospitals=hospitals, auc=auc, **values)


def read_story(folder: Path | None = None) -> tuple[Facts, dict[str, Bundle]]:
    """Return the facts and the bundle of every network.

    Args:
        folder: None for the one that ships.

    Raises:
        DataError: if the folder is missing or damaged.
    """
    folder = find_story() if folder is None else folder
    try:
        facts = facts_from_json(json.loads((folder / FACTS).read_text(encoding="utf-8")))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder / FACTS}: cannot be read ({error}); install BreastPCR again") from None
    return facts, {name: load_bundle(folder / name) for name in NETWORKS}


def find_story() -> Path:
    """Return the folder that ships.

    Raises:
        DataError: if it does not.
    """
    for root in model_folders():
        if (root / STORY / FACTS).is_file():
            return root / STORY
    raise DataError("the networks of the story are not installed; install BreastPCR again")


def elsewhere(traits: Traits, facts: Facts) -> Traits:
    """Return the same patient as hospital B finds her: there, the background has nothing to do with the label."""
    return Traits(**{**vars(traits), "background": facts.background})
