"""Adapt a bundle to the patients of another hospital: new calibration and operating points, the same networks."""

import tempfile
from pathlib import Path

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.reading.cohort import find_patients

from ..cohort.build import open_or_build
from ..cohort.cache import GridCache, report_left_out
from ..cohort.promised import promised_patients
from ..cohort.shared import refuse_shared
from ..cohort.splits import count_classes
from ..progress import Progress
from ..statistics.adaptation import LEAST, LEAST_FOR_SLOPE, LEAST_OF_A_CLASS, adapt
from ..training.inference import score
from .recalibrated_bundle import write_recalibrated
from .recalibration_report import describe_adaptation, measure_adaptation


def recalibrate(
    bundle: Bundle, cohort: Path, out: Path, name: str | None, how: str, device: str, progress: Progress
) -> list[str]:
    """Write a bundle that is adapted to a cohort, and return what was done in sentences.

    Args:
        out: folder of the new bundle, new or empty.
        name: of the new model; None for the old one's with that of the cohort.
        how: operating points are chosen, see `adapted_points.adapt_points`.

    Raises:
        DataError: if the cohort cannot be used, has too few patients or patients that the model was trained on, or the
            folder cannot be written.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise DataError(f"{out}: must be a new or empty folder for the new bundle; choose a different one")
    promised = promised_patients({cohort.resolve().name: cohort}, bundle.schema, bundle.settings.grid)
    refuse_shared(promised, cohort, patients=bundle.training_hashes[1])
    check_numbers(cohort, promised.labels)
    with tempfile.TemporaryDirectory() as folder:
        cache = _read(bundle, cohort, Path(folder) / "cache", progress)
        progress.start(f"{bundle.card.name} on {cohort.resolve().name}", len(bundle.folds))
        log_odds = calibrated_log_odds(bundle, cache, device, progress)
        progress.start("Cross-fitting", 1)
        found = adapt(log_odds, cache.labels, bundle.settings.operating_points, how)
        progress.advance()
        where = cohort.resolve().name
        measured = measure_adaptation(bundle, where, found, cache.labels, how)
        write_recalibrated(bundle, cache, out, name or f"{bundle.card.name}-{where}", measured, found)
    return describe_adaptation(measured)


def _read(bundle: Bundle, cohort: Path, folder: Path, progress: Progress) -> GridCache:
    """Return the cohort on the model's grid; report who was left out."""
    progress.start(f"Reading {cohort.resolve().name}", len(find_patients(cohort, progress.say)))
    cache = open_or_build(cohort, folder, bundle.settings.grid, bundle.schema, progress)
    report_left_out(cache, progress)
    refuse_shared(cache, cohort, *bundle.training_hashes)
    check_numbers(cohort, cache.labels)
    return cache


def check_numbers(cohort: Path, label: np.ndarray) -> None:
    """Refuse labels, (N,), of too few patients.

    Raises:
        DataError: if they are.
    """
    positives = int(label.sum())
    fewest = min(positives, len(label) - positives)
    if not fewest:
        raise DataError(
            f"{cohort}: must have patients with and without pCR to recalibrate on, got {count_classes(label)}"
        )
    if len(label) < LEAST or fewest < LEAST_OF_A_CLASS:
        raise DataError(
            f"{cohort}: must have {LEAST} labelled patients or more to recalibrate on, {LEAST_OF_A_CLASS} of them with "
            f"and {LEAST_OF_A_CLASS} without pCR, got {len(label)} and {positives} with; {LEAST_FOR_SLOPE} and more "
            "are better, add some"
        )


def calibrated_log_odds(bundle: Bundle, cache: GridCache, device: str, progress: Progress) -> np.ndarray:
    """Return the log-odds of every fold for every patient, (F, N), calibrated as the bundle is.

    Of a model that averages the logits of its folds, they are those of its one average, (1, N).
    """
    clinical, index = cache.encode(bundle.schema), np.arange(len(cache))
    slope, offset = bundle.settings.calibration
    found = []
    for network in bundle.load_networks(device):
        logit = score(network, cache, clinical, index, bundle.settings.flips, device).logit
        found.append(slope * logit + offset)
        progress.advance()
    log_odds = np.stack(found)
    return log_odds.mean(0, keepdims=True) if bundle.settings.averaging == "logit" else log_odds
