"""The words of the story: its stops, and what each of them shows. A listener hears them for the first time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..formatting import format_percent
from ..prediction import RESEARCH_USE_ONLY
from .facts import HOSPITALS, NETWORKS, Facts
from .scene import Scene


@dataclass(frozen=True)
class Stop:
    """A position of the slider.

    Args:
        name: of the position.
        network: that is shown on the guided side; empty for the exam alone.
        caption: one or two sentences.
    """

    name: str
    network: str
    caption: str


TITLE = "A network may learn a shortcut that the next hospital does not have"
HOSPITAL_TITLES = {"A": "Hospital A: trained here", "B": "Hospital B: never seen"}
NAMES = {"single": "Not guided", "step1": "Step 1", "step2": "Step 2", "step3": "Step 3"}
MARK = "best possible without the shortcut"


def stops(facts: Facts, scene: Scene) -> tuple[Stop, ...]:
    """Return the positions of the slider, from left to right."""
    unguided, guided = (scene.describe(name) for name in ("single", "step3"))
    auc = {name: {hospital: f"{found.value:.2f}" for hospital, found in facts.auc[name].items()} for name in NETWORKS}
    return (
        Stop(
            "The patient",
            "",
            "One patient, scanned at two hospitals. Her tumour (green) is the same. At hospital A, normal tissue was "
            "made brighter in patients who respond to treatment; at hospital B it says nothing. A network can learn "
            "that instead of the tumour: a shortcut.",
        ),
        Stop(
            "Step 1: look anywhere",
            "step1",
            f"The same tumour gets {unguided['A']} at hospital A and {unguided['B']} at hospital B from the network on "
            "the left, which may look anywhere. If only the normal tissue is that of B, and the scanner that of A, it "
            f"gives {format_percent(scene.tissue_alone)}: it answers to more than the tumour.",
        ),
        Stop(
            "Step 2: look at the tumour",
            "step2",
            "The network on the right now learns where the tumour is, from tumours pasted into other breasts, too: "
            f"the heat moves into the outline. Its AUC goes from {auc['step1']['A']} to {auc['step2']['A']} at A, and "
            f"from {auc['step1']['B']} to {auc['step2']['B']} at B.",
        ),
        Stop(
            "Step 3: add clinical facts",
            "step3",
            f"Age, receptors, HER2 and menopause come last: {guided['A']} at A, {guided['B']} at B. Over all patients "
            f"of B they hardly matter: the AUC goes from {auc['step2']['B']} to {auc['step3']['B']}. The network on "
            f"the left has the same facts, and {auc['single']['B']}, nearly a coin toss.",
        ),
    )


def limits() -> tuple[str, str]:
    """Return what stands under the title: what this is, and what it does not show."""
    return (
        "Simulated patients at simulated hospitals, with a shortcut that was made strong on purpose. On real exams, "
        "guidance has not raised the AUC so far (see Results in the documentation).",
        RESEARCH_USE_ONLY,
    )


def small_print(facts: Facts, scene: Scene) -> tuple[str, ...]:
    """Return what the pictures are of, and what they do not show."""
    here, there = facts.hospitals["A"], facts.hospitals["B"]
    answer = "responds" if scene.responds else "does not respond"
    return (
        f"AUC: 0.5 is a coin toss, 1 is perfect. Measured on {here.patients} patients of hospital A that no network "
        f"was trained on ({facts.trained_on} others were), and on {there.patients} of hospital B, with 95 % intervals. "
        f"White mark, {MARK}: the AUC of the true probabilities, {here.best:.2f} (A) and {there.best:.2f} (B).",
        f"All patients are simulated; tissue and response correlate by {facts.shortcut:g} at A. This patient {answer}. "
        "She was chosen as a clear example: without guidance her answer changes most, and step 3 is right at both "
        "hospitals. Her normal tissue at B is as far below the average as it is above it at A; the scanners differ, "
        "too.",
        "Heat is two kinds of map: the class activation of the answer where a network may look anywhere, its own "
        "attention where it is guided. Its share in the tumour is of the whole window of 80 mm, not of this slice.",
        f"Over all patients of A and B, the share in the tumour is {_shares(facts.in_tumour['single'])} without "
        f"guidance, {_shares(facts.in_tumour['step3'])} in step 3, and {_shares(facts.enhancement)} of a plain map of "
        "enhancement, without any network: to look at the tumour proves nothing by itself. What counts is the AUC at "
        "hospital B.",
        f"The networks ship with BreastPCR; networks and numbers are made by: {facts.command}",
    )


def _shares(shares: Mapping[str, float]) -> str:
    return " and ".join(format_percent(shares[hospital]) for hospital in HOSPITALS)
