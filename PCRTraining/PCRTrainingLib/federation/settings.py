"""What a hospital knows of itself; no torch here, so that joining begins at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "BREASTPCR_FEDERATION"  # variable: file with the settings of the sites of this machine
RESERVED = frozenset({"server", "admin", "provisioning"})  # folders beside those of the sites


@dataclass(frozen=True)
class SiteSettings:
    """What a hospital knows of itself.

    Args:
        name: in the federation.
        cohort: its folder of patients.
        folder: where it keeps its cache, its state and its bundle.
        cohort_name: of its patients.
        cache: of its patients on the model grid, made before; None to read `cohort`.
        agreed: configuration that the hospital accepts; None for any.
        device: a torch device.
    """

    name: str
    cohort: str
    folder: str
    cohort_name: str = ""
    cache: str | None = None
    agreed: Mapping[str, object] | None = None
    device: str = "cpu"

    @classmethod
    def read(cls, file: Path, name: str) -> SiteSettings:
        """Return the settings of a site in a file that may have several."""
        return cls(**json.loads(file.read_text(encoding="utf-8"))[name])
