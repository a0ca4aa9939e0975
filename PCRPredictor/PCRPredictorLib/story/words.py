"""The words of the story: its stops, and what each of them shows. A listener hears them for the first time."""

from __future__ import annotations

from dataclasses import dataclass

from ..prediction import RESEARCH_USE_ONLY
from .facts import NETWORKS, Facts
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


TITLE = "Where a network looks decides whether it works at the next hospital"
HOSPITAL_TITLES = {"A": "Hospital A: the networks were trained here", "B": "Hospital B: they have never been here"}
NAMES = {"single": "Not guided", "step1": "Step 1", "step2": "Step 2", "step3": "Step 3"}


def stops(facts: Facts, scene: Scene) -> tuple[Stop, ...]:
    """Return the positions of the slider, from left to right."""
    unguided, guided = (scene.describe(name) for name in ("single", "step3"))
    single, *_, last = (facts.auc[name] for name in NETWORKS)
    return (
        Stop(
            "The patient",
            "",
            "One patient at two hospitals. Her tumour (green) is the same. At hospital A, by accident, normal tissue "
            "is brighter in patients who respond to treatment. A network can use that instead of the tumour: a "
            "shortcut.",
        ),
        Stop(
            "Step 1: look anywhere",
            "step1",
            "Both networks may look anywhere, and most of their heat lies on normal tissue: the shortcut. The same "
            f"tumour gets {unguided['A']} at hospital A and {unguided['B']} at hospital B (left).",
        ),
        Stop(
            "Step 2: look at the tumour",
            "step2",
            "The network on the right is now taught to look inside the outline: the heat leaves the background. The "
            "network on the left stays as it was.",
        ),
        Stop(
            "Step 3: add clinical facts",
            "step3",
            f"Age and receptors come last: {guided['A']} at A, {guided['B']} at B. Over all patients of hospital B the "
            f"guided network has an AUC of {last['B'].value:.2f}; the other one, {single['A'].value:.2f} at home, has "
            f"{single['B'].value:.2f} there, nearly a coin toss.",
        ),
    )


def limits() -> tuple[str, str]:
    """Return what stands under the title: what this is, and what it does not show."""
    return (
        "Everything here is simulated: one patient, scanned at two hospitals. On real exams, guidance has not raised "
        "the AUC so far (see Results in the documentation).",
        RESEARCH_USE_ONLY,
    )


def small_print(facts: Facts, scene: Scene) -> tuple[str, ...]:
    """Return what the pictures are of, and what they do not show."""
    here, there = facts.hospitals["A"], facts.hospitals["B"]
    enhancement = scene.views["A"].enhancement_in_tumour
    answer = "responds" if scene.responds else "does not respond"
    return (
        f"AUC: 0.5 is a coin toss, 1 is perfect. Measured on {here.patients} patients of hospital A that no network "
        f"was trained on ({facts.trained_on} others were), and on {there.patients} of hospital B, with 95 % intervals. "
        f"White mark: the best that is possible without the shortcut, {here.best:.2f} (A) and {there.best:.2f} (B).",
        f"All patients are simulated, and the shortcut is stronger than at a real hospital (correlation "
        f"{facts.shortcut:g}). This patient {answer}; she was chosen as a clear example, the AUC are of all patients.",
        f"To look at the tumour proves nothing by itself: a plain map of enhancement, without any network, already has "
        f"{enhancement:.0%} of its heat in this tumour. What counts is the AUC at hospital B.",
        f"The networks ship with BreastPCR; networks and numbers are made by: {facts.command}",
    )
