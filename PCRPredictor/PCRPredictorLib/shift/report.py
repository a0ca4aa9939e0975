"""The files of a cohort's shift: `shift.json`, `report.html` and `report.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class KnownPatients:
    """How many patients a model was trained on, so that its results in them say nothing.

    Args:
        images: by their images.
        names: by identifier alone.
    """

    images: int = 0
    names: int = 0


def shift_of(
    bundle: Bundle,
    patients: Sequence[PatientFacts],
    known: KnownPatients = KnownPatients(),
) -> dict[str, Any]:
    """Return how a cohort differs from the training patients of a model: `compare_cohort`, the model, and `known`.

    Args:
        patients: that the model was not trained on.
        known: those that are left out.

    Raises:
        DataError: if the bundle is damaged.
    """
    training, points = training_distribution(bundle), bundle.settings.operating_points
    found = compare_cohort(
        patients, bundle.schema, training, points, bundle.identity.base_rate, points_fixed_on(bundle)
    )
    return {"model": bundle.card.name, "version": bundle.card.version, "known": asdict(known), **found}


def write_shift(
    bundle: Bundle,
    patients: Sequence[PatientFacts],
    cohort: str,
    out: Path,
    known: KnownPatients = KnownPatients(),
) -> list[str]:
    """Write the shift of a cohort into an existing folder, and return its sentences.

    Args:
        patients, known: see `shift_of`.
        cohort: name of the cohort.

    Raises:
        DataError: if the bundle is damaged or a file cannot be written.
    """
    shift = shift_of(bundle, patients, known)
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
        patients=content["patients"] + sum(content["known"].values()),
    )
