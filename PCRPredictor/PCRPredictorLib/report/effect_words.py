"""What changes of the picture do to a prediction, in the words of report, panel, page and command line."""

from __future__ import annotations

from ..evidence import Spread
from ..formatting import format_value
from ..prediction import Prediction
from .wording import Translate


def describe_interventions(prediction: Prediction, _: Translate = str) -> str:
    """Return by how many percentage points erasing the tumour and other changes move the probability; "" if not known.

    Other clinical values of the prediction are taken into account, see `Interventions`.
    """
    done = prediction.interventions
    if done is None:
        return ""
    found = done.in_points(prediction)
    text = _("Erasing the tumour from the picture changes the probability by {points} percentage points").format(
        points=_points(found.erased)
    )
    if found.patch is None:
        text += "; " + _("the tumour leaves no room for an equal patch elsewhere")
    else:
        patch = _("erasing an equal patch elsewhere, by {points} ({low} to {high}, {count} places)")
        text += "; " + patch.format(count=len(done.patches), **_spread(found.patch))
    if found.background is not None:
        background = _("a different background ({source}), by {points} ({low} to {high})")
        text += "; " + background.format(source=_(done.background_source), **_spread(found.background))
    text += ". " + _("Clinical and measured values stay as they are.")
    if prediction.evidence is not None and prediction.evidence.has_image:
        text += " " + _(
            "This is not by how much “the image moved the probability”: that compares the image with one of an average "
            "patient, this with itself without the tumour."
        )
    return text


def _points(value: float) -> str:
    return format_value(value, 1, signed=True)


def _spread(spread: Spread) -> dict[str, str]:
    return {name: _points(value) for name, value in zip(("points", "low", "high"), spread, strict=True)}
