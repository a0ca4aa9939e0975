"""Whether the attention of a trained model has learned where the tumour is; if not, no bundle is made of it.

The bars are a map that knows nothing, that of random weights, twice; and one that needs no model, plain early
enhancement: a gate below either hides the tumour from its own network rather than the background. They are shares of
the mass. Dice and the pointing game are no bars: a network with random weights already ranks what enhances first, so
that both are high before it has learned anything. Ours.
No torch here.
"""

from collections.abc import Mapping
from typing import Any

from PCRPredictorLib.report.wording import Translate

_TIMES = 2.0  # the share of random weights


def find_chance(model: Mapping[str, Any], translate: Translate = str) -> str:
    """Return why the attention of a model does not find the tumour, a sentence's part; empty if it does, or has none.

    Args:
        model: from `description.measure_model`, with the enhancement map beside its own, out of fold.
        translate: a sentence into the user's language.
    """
    found = model.get("attention") or {}
    if found.get("map") != "attention":
        return ""
    _, share, random = translate, found["in_tumour"]["value"], found.get("randomised_in_tumour")
    if share is None:
        return _("its attention could not be measured in any patient")
    if random is not None and share <= _TIMES * random:
        text = _(
            "its attention is at chance: {own:.2f} of it is inside the tumour out of fold, {other:.2f} with random "
            "weights, and twice that is needed"
        )
        return text.format(own=share, other=random)
    plain = (found.get("enhancement") or {}).get("in_tumour", {}).get("value")
    if plain is None or share > plain:
        return ""
    text = _(
        "its attention is no better than plain early enhancement: {own:.2f} of it is inside the tumour out of fold, "
        "{other:.2f} of the enhancement"
    )
    return text.format(own=share, other=plain)


def refusal(model: Mapping[str, Any], what: str, again: str = "give --resume --keep-anyway") -> str:
    """Return the sentence that refuses a bundle; empty if there is no reason to.

    Args:
        model: see `find_chance`.
        what: the sentence's beginning: of what there is no bundle.
        again: how the user has it all the same.
    """
    chance = find_chance(model)
    advice = f"train on more patients or for more epochs, or {again} to have it all the same"
    return f"{what}: {chance}; {advice}" if chance else ""


def limits(known: str, model: Mapping[str, Any]) -> str:
    """Return the limits of a model's card, with that of one whose attention does not find the tumour."""
    chance = find_chance(model)
    return f"{chance[0].upper()}{chance[1:]}; do not rely on its maps. {known}".rstrip() if chance else known
