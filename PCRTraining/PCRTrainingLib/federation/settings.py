"""What a hospital knows of itself; no torch here, so that joining begins at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "BREASTPCR_FEDERATION"  # variable: file with the settings of the sites of this machine
RESERVED = frozenset({"server", "admin", "provisioning"})  # folders beside those of the sites


def clash_of_names(names: Sequence[str], host: str) -> str:
    """Return what keeps hospitals from having kits beside each other, for people; empty if nothing does."""
    taken = {each: f"a folder of the server, {each}" for each in RESERVED} | {host.casefold(): "--host"}
    for name in names:
        if name.casefold() in taken:
            return f"{name} is also the name of {taken[name.casefold()]}"
        taken[name.casefold()] = f"hospital {name}"
    return ""


@dataclass(frozen=True)
class SiteSettings:
    """What a hospital knows of itself.

    Args:
        name: in the federation.
        cohort: its folder of patients.
        folder: where it keeps its cache, its state and its bundle.
        cohort_name: of its patients.
        cache: of its patients on the model grid, made before; None to read `cohort`.
        agreed: what the hospital accepts, see `Task.agreed`; None for anything.
        device: a torch device.
        keep_anyway: make its bundle also if the attention is at chance.
    """

    name: str
    cohort: str
    folder: str
    cohort_name: str = ""
    cache: str | None = None
    agreed: Mapping[str, object] | None = None
    device: str = "cpu"
    keep_anyway: bool = False

    @property
    def no_bundle(self) -> Path:
        """File that says why no bundle was made here; not there if there is one."""
        return Path(self.folder) / "no_bundle.txt"

    @classmethod
    def read(cls, file: Path, name: str) -> SiteSettings:
        """Return the settings of a site in a file that may have several."""
        return cls(**json.loads(file.read_text(encoding="utf-8"))[name])
