"""Whether the attention of a trained model has learned where the tumour is; if not, no bundle is made of it.

The bar is a map that knows nothing, that of random weights, twice; and one that needs no model, plain early
enhancement: a gate below either hides the tumour from its own network rather than the background. Ours.
No torch here.
"""

from collections.abc import Mapping
from typing import Any

from PCRPredictorLib.report.wording import Translate

_TIMES = 2.0  # the share of random weights


def find_chance(model: Mapping[str, Any], translate: Translate = str) -> str:
    """Return why the attention of a model is at chance, a sentence's part; empty if it is not, or it has none.

    Args:
        model: from `description.measure_model`, with the enhancement map beside its own, out of fold.
        translate: a sentence into the user's language.
    """
    found = model.get("attention") or {}
    if found.get("map") != "attention":
        return ""
    share, random = found["in_tumour"]["value"], found.get("randomised_in_tumour")
    plain = (found.get("enhancement") or {}).get("in_tumour", {}).get("value")
    bars = [_TIMES * random if random is not None else None, plain]
    if share is not None and all(bar is None or share > bar for bar in bars):
        return ""
    _ = translate
    beside = [(_("{share:.2f} with random weights"), random), (_("{share:.2f} of plain early enhancement"), plain)]
    others = [text.format(share=value) for text, value in beside if value is not None]
    own = _("none") if share is None else f"{share:.2f}"
    text = _("its attention is at chance ({own} of it inside the tumour out of fold; {others})")
    return text.format(own=own, others=", ".join(others))


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
    """Return the limits of a model's card, with that of one whose attention is at chance."""
    chance = find_chance(model)
    return f"{chance[0].upper()}{chance[1:]}: its maps show nothing. {known}".rstrip() if chance else known
