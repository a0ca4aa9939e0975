"""What maps do, in the words, tables and plots of a report."""

from collections.abc import Mapping, Sequence
from typing import Any

from PCRPredictorLib.formatting import MISSING, format_value

from ..statistics.plots import curve_plot
from .layout import Figure, Section, Table

_HEAD = ("Model", "Map", "Deletion", "Insertion")
_CURVES = (
    "Voxels are removed in the order of a map, and replaced by tissue as it is around the tumour (its median, with the "
    "grain of voxels there), or added to a window of such tissue. Change of the image's logit in its standard "
    "deviations over the patients, mean from 0 to twice the tumour's volume. A map that finds what the network "
    "uses has a high deletion and a low insertion."
)
_CHANGES = (
    "Erased: the tumour is replaced by tissue as it is around it. Patch: as many voxels elsewhere. Background: the "
    "tumour stands in other patients' backgrounds. Absolute changes of the image's logit, in its standard deviations; "
    "correlation of the logits before and after. Agreement: rank correlation of the map with early enhancement."
)
_LAYERS = (
    "The weights become random layer by layer, from the head down to the stem, of one fold's network. A map that "
    "explains the network changes; an attention map is made before trunk and head, and cannot."
)
_CAPTION = "Change of the image's logit, in its standard deviations, by the voxels removed or added."


def effect_sections(models: Sequence[Mapping[str, Any]]) -> list[Section]:
    """Return the section of what the maps of the models do; none if that was not measured."""
    shown = [model for model in models if model.get("effects")]
    if not shown:
        return []
    curves = [
        [model["name"], name, format_value(curve["deletion_area"]), format_value(curve["insertion_area"])]
        for model in shown
        for name, curve in model["effects"]["curves"].items()
    ]
    changes = [[model["name"], *_changes(model["effects"])] for model in shown]
    layers = [
        [model["name"], layer["layer"], format_value(layer["rank_correlation"]), format_value(layer["in_tumour"])]
        for model in shown
        for layer in model["effects"]["randomised"]
    ]
    head = ("Model", "Tumour erased", "Patch erased", "Patients with room for it", "Background: change")
    tables = [
        Table("Interventions", (*head, "Background: correlation", "Agreement"), changes, _CHANGES),
        Table("Deletion and insertion", _HEAD, curves, _CURVES),
        Table("Random weights", ("Model", "Random down to", "Rank correlation", "In tumour"), layers, _LAYERS),
    ]
    figures = [
        Figure(curve_plot(_panels(model["effects"]), "Voxels / tumour"), f"Curves of {model['name']}", _CAPTION)
        for model in shown
    ]
    return [Section("What the maps do", tables=tables, figures=figures)]


def _changes(effects: Mapping[str, Any]) -> list[str]:
    patch = effects["patch_absolute"]
    return [
        format_value(effects["erased_absolute"]),
        format_value(patch, 3) if patch else MISSING,
        str(effects["patch_patients"]),
        format_value(effects["swap_absolute"]),
        format_value(effects["swap_correlation"]),
        format_value(effects["agreement_with_enhancement"]),
    ]


def _panels(effects: Mapping[str, Any]) -> dict[str, dict[str, tuple[Sequence[float], Sequence[float]]]]:
    volumes = effects["volumes"]
    return {
        title: {name: (volumes, curve[kind]) for name, curve in effects["curves"].items()}
        for title, kind in (("Deletion", "deletion"), ("Insertion", "insertion"))
    }
