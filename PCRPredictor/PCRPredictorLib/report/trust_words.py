"""What a reader needs to judge a probability: how well it is calibrated, and the share with pCR that it starts from.

Each function takes `_`, which translates a sentence: `slicer.i18n.tr` in Slicer, `str` elsewhere.
"""

from __future__ import annotations

import re

from ..formatting import format_percent, format_value
from ..prediction import ModelIdentity
from .wording import Translate


def describe_calibration(model: ModelIdentity, _: Translate = str) -> str:
    """Return slope and calibration in the large on each group of patients that they were measured on."""
    each = [
        _("{patients}, slope {slope}, in the large {large}").format(
            patients=of, slope=format_value(found["slope"]), large=format_value(found["in_the_large"], signed=True)
        )
        for of, found in model.calibration.items()
    ]
    if not each:
        return _("How well its probabilities are calibrated was not measured.")
    text = _("Calibration {each} (right: 1 and 0; below them, probabilities are too extreme and too high).")
    return text.format(each="; ".join(each))


def describe_training_share(model: ModelIdentity, _: Translate = str) -> str:
    """Return the share of the training patients with pCR, and what follows where it is a different one."""
    if model.base_rate is None:
        return _("How many of its training patients had pCR is not known.")
    text = _("Base rate: {rate} of its training patients had pCR; where fewer have, its probabilities are too high.")
    return text.format(rate=format_percent(model.base_rate))


def describe_training_briefly(model: ModelIdentity) -> str:
    """Return the first sentence on the training patients."""
    return re.split(r"(?<=\.)\s", model.training_data, maxsplit=1)[0]
