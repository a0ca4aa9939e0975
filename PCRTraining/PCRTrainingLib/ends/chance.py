"""Whether the attention of a trained model has learned where the tumour is; if not, no bundle is made of it.

The bar is a map that knows nothing, that of random weights, twice; and one that needs no model, plain early
enhancement: a gate below either hides the tumour from its own network rather than the background. Ours.
"""

from collections.abc import Mapping
from typing import Any

_TIMES = 2.0  # the share of random weights


def find_chance(model: Mapping[str, Any]) -> str:
    """Return why the attention of a model is at chance, a sentence's part; empty if it is not, or it has none.

    Args:
        model: from `description.measure_model`, with the enhancement map beside its own, out of fold.
    """
    found = model.get("attention") or {}
    if found.get("map") != "attention":
        return ""
    share, random = found["in_tumour"]["value"], found.get("randomised_in_tumour")
    plain = (found.get("enhancement") or {}).get("in_tumour", {}).get("value")
    bars = [_TIMES * random if random is not None else None, plain]
    if share is not None and all(bar is None or share > bar for bar in bars):
        return ""
    beside = [("with random weights", random), ("of plain early enhancement", plain)]
    others = " and ".join(f"{value:.2f} {what}" for what, value in beside if value is not None)
    own = "none" if share is None else f"{share:.2f}"
    return f"its attention is at chance ({own} of it inside the tumour out of fold, {others})"


def refusal(model: Mapping[str, Any], run: str) -> str:
    """Return the sentence that refuses a bundle; empty if there is no reason to.

    Args:
        model: see `find_chance`.
        run: what the sentence names.
    """
    chance = find_chance(model)
    advice = "train on more patients or for more epochs, or give --resume --keep-anyway to have it all the same"
    return f"{run}: no bundle is made of this run: {chance}; {advice}" if chance else ""
