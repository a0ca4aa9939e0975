"""How an exam and a map over it are shown; the only place of the defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..report.display import FAINT, OPACITY


@dataclass(frozen=True)
class OverlaySettings:
    """What the user sets about the views.

    Args:
        kind: of the map, an `OverlayKind` of `report.maps`.
        visible: show the map over the slices.
        opacity: of the map, in [0, 1].
        threshold: share of the end of the map's scale below which it is hidden, in [0, 1].
        outline: show the tumour's outline and surface.
        legend: show what the colours mean.
        rendering: draw the attention in 3D.
    """

    kind: str = "attention"
    visible: bool = True
    opacity: float = OPACITY
    threshold: float = FAINT
    outline: bool = True
    legend: bool = True
    rendering: bool = False

    def changes_to(self, settings: OverlaySettings) -> frozenset[str]:
        """Return the names of the settings that differ from these."""
        names = [field.name for field in fields(self)]
        return frozenset(name for name in names if getattr(self, name) != getattr(settings, name))
