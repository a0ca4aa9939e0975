"""Sites of a federation for tests: real ones on tiny cohorts, and light ones that answer what a test wants."""

import json

import numpy as np
from PCRPredictorLib.network import PCRNet
from PCRTrainingLib.config import parse_config
from PCRTrainingLib.federation.agreement import shared_schema
from PCRTrainingLib.federation.folder import FederationFolder, Plan
from PCRTrainingLib.federation.messages import Answer
from PCRTrainingLib.federation.rounds import Federation
from PCRTrainingLib.federation.settings import SiteSettings
from PCRTrainingLib.federation.site import Site, to_arrays
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.training.loop import network_arguments

from support.federated.direct import DirectHub
from support.training_cohort import QUICK

CONFIG = parse_config(json.dumps({**json.loads(QUICK), "clinical": ["age", "hr"]}), "test")
COUNTS = {"patients": 24, "positives": 12, "trained": 19, "trained_positives": 10, "left_out": 0}
NAMES = ("north", "south", "west")


class Spoken(Progress):
    """Keeps what is said."""

    def __init__(self):
        self.lines = []

    def say(self, message):
        self.lines.append(message)


class LightSite:
    """Answers at once: every weight is the one it got, plus `step`.

    Args:
        step: what a round adds to each weight.
        spoil: called with the task and the answer, returns the one that is sent; None for no answer.
    """

    def __init__(self, step=1.0, spoil=lambda task, answer: answer):
        self.step, self.spoil, self.asked = step, spoil, []

    def answer(self, task, weights):
        self.asked.append(task.position)
        made = Answer(task.position, counts=COUNTS, sums={"age": (24.0, 24.0 * 50, 24.0 * 2600)})
        if task.kind in ("start", "train"):
            step = next(step for step in CONFIG.steps if step.name == task.step)
            network = PCRNet(**network_arguments(step, CONFIG, shared_schema(CONFIG)))
            new = to_arrays(network.state_dict())
            sent = {name: weights.get(name, np.zeros_like(array)) for name, array in new.items()}
            added = self.step if task.kind == "train" else 0
            sent = {name: np.array(array + added, array.dtype) for name, array in sent.items()}
            made = Answer(task.position, counts=COUNTS, metrics={"loss": 0.5}, weights=sent)
        return self.spoil(task, made)


def begin(path, sites, **plan):
    """Return the folder of a new federation and what its server says."""
    folder = FederationFolder(path)
    folder.begin(Plan(CONFIG, tuple(sites), 2, **{"keep_anyway": True, **plan}))
    return folder


def run(folder, sites):
    """Run a federation in this process; return what its server says."""
    spoken = Spoken()
    Federation(folder, DirectHub(sites), spoken).run()
    return spoken.lines


def real_site(cohort, folder, name="north", **more):
    """Return a site on a cohort's folder, and what it says."""
    spoken = Spoken()
    more = {"keep_anyway": True, **more}
    return Site(SiteSettings(name, str(cohort), str(folder), name, **more), spoken), spoken.lines
