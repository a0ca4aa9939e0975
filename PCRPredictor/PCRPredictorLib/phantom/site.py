"""The sites of phantom cohorts: how each of them scans, and how its images depend on the label."""

from dataclasses import dataclass, field, replace
from typing import Literal

from ..errors import DataError
from .kinetics import Sequence

SHORTCUT_KINDS = ("background", "noise", "shading", "fat")
GREY_LEVELS = 36.0  # of unenhanced fibroglandular tissue near the coil, at gain 1
_SMALL_SIZE = (128, 128, 48)
_FULL_LATTICE = {
    "axial": ((448, 448, 120), (0.75, 0.75, 1.5)),
    "sagittal": ((256, 256, 96), (0.75, 0.75, 1.5)),
}


@dataclass(frozen=True)
class Site:
    """The scanner and protocol of a site.

    Args:
        name: part of the patients' identifiers.
        orientation: "axial" or "sagittal"; small exams and sagittal ones show one breast.
        spacing: of small exams along i, j, k, mm.
        full_lattice: voxels and spacing of full-size exams along i, j, k; None for that of the orientation.
        gain: factor on the grey levels; 1 gives 36 to unenhanced fibroglandular tissue near the coil.
        noise: standard deviation in each of the two channels, relative to that tissue's signal.
        phase_times: of the pre, early and late phase, s after injection; 0 before.
        sequence: spoiled gradient echo of its scanner.
        fat: factor on the signal of fat; more than 1 if it is suppressed badly.
        shading: factor on how much the coil's sensitivity varies.
        falloff: rate at which the coil's sensitivity falls off behind the nipple, 1/mm; 0 if it is corrected.
        shortcut: correlation of what `shortcut_kind` names with the label, in [-1, 1]; 0 for none.
        shortcut_kind: what varies from patient to patient and may correlate with the label, see `shortcut`.
        pcr_rate: share of responders to expect, in (0, 1); None for about a third, see `traits`.
        manufacturer: for the table.

    Raises:
        DataError: if the shortcut is not a correlation or of no known kind, or the rate is no share.
    """

    name: str
    orientation: Literal["axial", "sagittal"] = "axial"
    spacing: tuple[float, float, float] = (1.4, 1.4, 3.5)
    full_lattice: tuple[tuple[int, int, int], tuple[float, float, float]] | None = None
    gain: float = 1.0
    noise: float = 0.045
    phase_times: tuple[float, float, float] = (0.0, 120.0, 400.0)
    sequence: Sequence = field(default_factory=Sequence)
    fat: float = 1.0
    shading: float = 1.0
    falloff: float = 0.0
    shortcut: float = 0.0
    shortcut_kind: str = "background"
    pcr_rate: float | None = None
    manufacturer: str = "PHANTOM"

    def __post_init__(self) -> None:
        if not -1 <= self.shortcut <= 1:
            raise DataError(f"shortcut must be between -1 and 1, got {self.shortcut}; give a correlation")
        if self.shortcut_kind not in SHORTCUT_KINDS:
            kinds = ", ".join(SHORTCUT_KINDS)
            raise DataError(f"shortcut kind must be one of {kinds}, got {self.shortcut_kind!r}; choose one of them")
        if self.pcr_rate is not None and not 0 < self.pcr_rate < 1:
            raise DataError(f"pCR rate must be above 0 and below 1, got {self.pcr_rate}; give a share such as 0.3")

    def lattice(self, full: bool) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
        """Return voxels and spacing in mm along i, j, k."""
        return self.full_lattice or _FULL_LATTICE[self.orientation] if full else (_SMALL_SIZE, self.spacing)


SITES = {
    "A": Site("A", manufacturer="PHANTOM ONE"),
    "B": Site(
        "B",
        spacing=(1.5, 1.5, 3.2),
        gain=0.75,
        noise=0.065,
        phase_times=(0.0, 95.0, 330.0),
        sequence=Sequence(0.0068, 15.0),
        manufacturer="PHANTOM TWO",
    ),
    "C": Site(
        "C",
        orientation="sagittal",
        spacing=(1.4, 1.4, 3.0),
        gain=0.65,
        noise=0.05,
        phase_times=(0.0, 150.0, 450.0),
        sequence=Sequence(0.008, 20.0),
        manufacturer="PHANTOM THREE",
    ),
}


def find_site(
    name: str, shortcut: float = 0.0, shortcut_kind: str = "background", pcr_rate: float | None = None
) -> Site:
    """Return the site of that name in `SITES`, with a shortcut and a pCR rate.

    Raises:
        DataError: if there is no such site, or see `Site`.
    """
    if name.upper() not in SITES:
        raise DataError(f"site must be one of {', '.join(SITES)}, got {name!r}; choose one of them")
    return replace(SITES[name.upper()], shortcut=shortcut, shortcut_kind=shortcut_kind, pcr_rate=pcr_rate)
