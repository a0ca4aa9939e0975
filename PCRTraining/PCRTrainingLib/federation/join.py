"""`pcr federate join`: one hospital takes part, from its startup kit and its own patients."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.writing import write_whole_json

from ..config import parse_config
from ..progress import Progress
from ..run_files import read_content, refusing_damage
from .division import refuse_few
from .optional import require_flare
from .processes import run_process
from .settings import ENVIRONMENT, SiteSettings

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_CLIENT = "nvflare.private.fed.app.client.client_train"


def read_kit(kit: Path, cohort: Path, out: Path | None, device: str, keep_anyway: bool = False) -> SiteSettings:
    """Return the settings of the site that a kit was made for.

    Raises:
        DataError: if it is no kit of a site.
    """
    file = kit / "breastpcr.json"
    try:
        with refusing_damage(file):
            content = read_content(file)
            name, agreed = content["site"], dict(content["agreed"])
            if not _NAME.fullmatch(name):
                raise ValueError("site must be a name")
    except (DataError, OSError):
        raise DataError(
            f"{kit}: must be the startup kit of a site, with startup/ and breastpcr.json; ask the hospital that serves"
        ) from None
    if not (kit / "startup" / "client.key").is_file():
        raise DataError(f"{kit}: startup/client.key is missing; ask the hospital that serves for a new kit")
    folder = (out or kit / "site").resolve()
    return SiteSettings(
        name, str(cohort.resolve()), str(folder), cohort.resolve().name, None, agreed, device, keep_anyway
    )


def join(kit: Path, settings: SiteSettings, progress: Progress) -> None:
    """Run the site's client until the server ends the federation.

    Raises:
        DataError: if the cohort cannot be found, the client ends by itself, or no bundle was made here.
    """
    require_flare()
    cohort = Path(settings.cohort)
    if settings.agreed is not None:  # before anything is sent
        config = parse_config(json.dumps(settings.agreed.get("config", {})), f"{kit}: configuration")
        refuse_few(settings.name, cohort, config)
    count = len(find_patients(cohort))
    progress.say(f"{settings.name}: {count} patients; they stay here")
    folder = Path(settings.folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole_json({settings.name: asdict(settings)}, folder / "site.json")
    kit = kit.resolve()
    options = ["secure_train=true", f"uid={settings.name}", "org=breastpcr", "config_folder=config"]
    words = ["-m", str(kit), "-s", "fed_client.json", "--set", *options]
    more = {ENVIRONMENT: str(folder / "site.json")}
    before = _written(folder / "bundle")
    settings.no_bundle.unlink(missing_ok=True)  # of an earlier federation
    run_process(_CLIENT, words, kit / "client.log", folder / "log.txt", progress, more)
    if settings.no_bundle.is_file():
        raise DataError(settings.no_bundle.read_text(encoding="utf-8"))
    if _written(folder / "bundle") == before:
        raise DataError(f"the federation ended here before its last round; see {kit / 'client.log'}, then join again")
    progress.say(f"Model: {folder / 'bundle'}, for pcr predict --model")


def _written(bundle: Path) -> dict[str, int]:
    """Return when each file of a bundle was written; one of an earlier federation must not pass for a new one."""
    return {str(file): file.stat().st_mtime_ns for file in bundle.rglob("*")}
