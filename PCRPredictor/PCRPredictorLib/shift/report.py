"""The files of a cohort's shift: `shift.json`, `report.html` and `report.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model.bundle import Bundle
from ..report.rendering import render
from ..writing import write_whole_json, write_whole_text
from .compare import compare_cohort
from .facts import PatientFacts
from .reference import points_fixed_on, training_distribution
from .wording import describe_shift, shift_tables

RESULT, PAGE, TEXT = "shift.json", "report.html", "report.md"


def shift_of(bundle: Bundle, patients: Sequence[PatientFacts]) -> dict[str, Any]:
    """Return how a cohort differs from the training patients of a model: `compare_cohort`, and the model.

    Raises:
        DataError: if the bundle is damaged.
    """
    training, points = training_distribution(bundle), bundle.settings.operating_points
    found = compare_cohort(
        patients, bundle.schema, training, points, bundle.identity.base_rate, points_fixed_on(bundle)
    )
    return {"model": bundle.card.name, "version": bundle.card.version, **found}


def write_shift(bundle: Bundle, patients: Sequence[PatientFacts], cohort: str, out: Path) -> list[str]:
    """Write the shift of a cohort into an existing folder, and return its sentences.

    Args:
        cohort: name of the cohort.

    Raises:
        DataError: if the bundle is damaged or a file cannot be written.
    """
    shift = shift_of(bundle, patients)
    content = {"kind": "shift", "format": 1, "cohort": cohort, **shift, "sentences": describe_shift(shift)}
    write_whole_json(content, out / RESULT)
    write_whole_text(render_shift(content, "shift.html.j2"), out / PAGE)
    write_whole_text(render_shift(content, "shift.md.j2"), out / TEXT)
    return describe_shift(shift)


def render_shift(content: Mapping[str, Any], template: str) -> str:
    """Return the page or the Markdown of what `write_shift` writes as JSON."""
    return render(
        template,
        title=f"{content['cohort']} beside the training patients of {content['model']} {content['version']}",
        sentences=content["sentences"],
        tables=shift_tables(content),
        patients=content["patients"],
    )
