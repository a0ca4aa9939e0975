"""What the user should know of the exam on the table, before any prediction: its times, warnings, what was not used."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ..exam import Provenance
from ..model.bundle import Bundle
from ..model.notices import about_source, about_timing
from ..report.source_words import describe_left_aside, describe_phases
from ..report.wording import Translate, list_notices


@dataclass(frozen=True)
class ExamWords:
    """An exam's source in sentences; `warnings` and `left_aside` are rich text, each empty if there is nothing."""

    phases: str = ""
    warnings: str = ""
    left_aside: str = ""

    @property
    def text(self) -> str:
        """Return all of it as rich text."""
        phases = f"<p>{escape(self.phases)}</p>" if self.phases else ""
        return "".join((phases, self.warnings, self.left_aside))


def describe_exam(provenance: Provenance | None, bundle: Bundle | None, _: Translate = str) -> ExamWords:
    """Return the words about an exam's source, or about none.

    Args:
        provenance: of the exam, None without one.
        bundle: the chosen model, with whose training patients the times are compared.
    """
    if provenance is None:
        return ExamWords()
    times = bundle.settings.times if bundle is not None else ()
    notices = (*about_timing(provenance, times), *about_source(provenance))
    phases, lines = describe_phases(provenance, _), describe_left_aside(provenance.left_aside, _)
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return ExamWords(
        _("Phases: {phases}").format(phases=phases) if phases else "",
        list_notices(notices, _),
        f"<b>{escape(_('Not used'))}</b><ul>{items}</ul>" if items else "",
    )
