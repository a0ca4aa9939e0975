"""One cohort as several simulated hospitals: the patients of each site in a cache of their own."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, astuple, replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.writing import whole_folder, write_csv, write_json

from ..cohort.build import open_or_build
from ..cohort.cache import CONTENTS, GRIDS, PATIENTS, QUARANTINE, GridCache, Record
from ..cohort.promised import promised_patients
from ..cohort.sites import LEAST, UNKNOWN, WHOLE, find_sites
from ..config import TrainingConfig
from ..progress import Progress
from .agreement import shared_schema


def refuse_few_sites(cohorts: Mapping[str, tuple[Path, str]], config: TrainingConfig, least: int) -> None:
    """Refuse a federation with too few sites that can be trained on, by tables and names of files, before any image.

    Args:
        cohorts: name to folder and column of the sites, `WHOLE` for a cohort that is one site.
        least: sites that it needs.

    Raises:
        DataError: naming the sites that have enough patients of each class.
    """
    enough = [site for name, where in cohorts.items() for site in _sites_with_enough(name, *where, config)]
    if len(enough) < least:
        raise DataError(
            f"a federation needs {least} sites or more, got {', '.join(enough) or 'none'}; a site has {LEAST} patients "
            f"with pCR and {LEAST} without or more; give more cohorts"
        )


def refuse_few(name: str, cohort: Path, config: TrainingConfig) -> None:
    """Refuse a site with too few patients of a class, by its table and names of files, before any image is read.

    Raises:
        DataError: if it is refused.
    """
    if not _sites_with_enough(name, cohort, WHOLE, config):
        raise DataError(f"{cohort}: a site needs {LEAST} patients with pCR and {LEAST} without or more; add patients")


def _sites_with_enough(name: str, cohort: Path, column: str, config: TrainingConfig) -> list[str]:
    """Return the sites of a cohort with enough patients of each class, as its table says."""
    cache = promised_patients({name: cohort}, shared_schema(config), config.grid)
    sites = find_sites({name: column}, [(name, record.row) for record in cache.records], cache.labels)
    return [site for site in sites.measured if site != UNKNOWN]


def divide_cohort(
    cohort: Path, name: str, column: str, folder: Path, config: TrainingConfig, progress: Progress
) -> dict[str, Path]:
    """Return the cache of each site of a cohort, by the site's name; each is made once, and anew for other patients.

    Args:
        name: of the cohort.
        column: of its table, that names the sites.
        folder: of the caches.

    Raises:
        DataError: if the cohort cannot be used, or its table lacks the column.
    """
    progress.start(f"Reading {name}", len(find_patients(cohort)))
    cache = open_or_build(cohort, folder / name, config.grid, shared_schema(config), progress, name)
    patients = [(record.cohort, record.row) for record in cache.records]
    sites = find_sites({name: column}, patients, cache.labels)
    for remark in sites.remarks:
        progress.say(remark)
    if left_out := len(cache.quarantine):
        progress.say(f"{count(left_out, 'patient')} of {name} left out, see {folder / name / QUARANTINE}")
    found = dict[str, Path]()
    for site in sorted(set(sites.names) - {UNKNOWN}):
        index = np.flatnonzero(sites.names == site)
        part = folder / f"{name}-{_fingerprint(cache, column, str(site), index)}"
        if not (part / PATIENTS).is_file():
            write_part(cache, index, part)
        found[str(site)] = part
    if not found:
        raise DataError(f"{name}: its column {column} must name the sites of the patients, got no value; fill it in")
    return found


def write_part(cache: GridCache, index: np.ndarray, folder: Path) -> None:
    """Write a cache with some patients of another one, and their other tumours.

    Args:
        index: (n,) positions.
    """
    rows = cache.with_lesions(index)
    lesions = [cache.lesions[row - len(cache)] for row in rows[len(index) :]]
    with whole_folder(folder) as staging:
        with (staging / GRIDS).open("wb") as file:
            for row in rows:
                file.write(cache.read_grids(np.array([row])).tobytes())
        write_json({**_content(cache, index), "lesions": [_plain(each) for each in lesions]}, staging / PATIENTS)
        write_csv(["patient_id", "reason"], map(astuple, ()), staging / QUARANTINE)


def _content(cache: GridCache, index: np.ndarray) -> dict[str, object]:
    return {"grid": asdict(cache.grid), "patients": [_plain(cache.records[i]) for i in index]}


def _fingerprint(cache: GridCache, column: str, site: str, index: np.ndarray) -> str:
    """Return what a part depends on, in 16 digits: column, site, patients with their rows, and their images."""
    digest = hashlib.blake2b(json.dumps([column, site, _content(cache, index)]).encode(), digest_size=8)
    if (contents := cache.folder / CONTENTS).is_file():
        digest.update(contents.read_bytes())
    return digest.hexdigest()


def _plain(record: Record) -> Mapping[str, object]:
    content = asdict(replace(record, cohort=""))
    return {name: value for name, value in content.items() if name != "cohort"}
