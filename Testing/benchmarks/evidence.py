"""The evidence: does it add up, does its sign agree with a truth that is known, and what does it cost?

    python Testing/benchmarks/evidence.py sums ../shared/cohorts/ispy2 --model ispy2
    python Testing/benchmarks/evidence.py phantom --patients 100
    python Testing/benchmarks/evidence.py time

sums: the largest difference between the bars' sum and the logit of the probability, and between the sum of
`Prediction.evidence_map` and the bar of the image, over the patients of a cohort.

phantom: in the simulated tumours, wash-out speaks for response (1.1 per SD), and heterogeneity, with its bright rim and
necrotic core, against it (-0.8 per SD). On the model's grid, inside the mask: AUC of the voxel's evidence for (a) the
sign of the patient's truth, against the median of all; (b) the voxel's own wash-out (late below early); (c) enhancing
tissue against the core (early enhancement below half of the tumour's median), as a mean over the tumours that have one.

time: predictions with and without the evidence, alternating in one run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PCRPredictorLib.model import ensemble
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.grid import place_window, sample
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.phantom.patient import make_exam, make_patient
from PCRPredictorLib.phantom.site import SITES
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRTrainingLib.statistics.metrics import auc

_LEAST_CORE = 20  # voxels of the model's grid


def check_sums(predictor: Predictor, cohort: Path, every: int) -> None:
    bars, maps, image, warned = [], [], [], 0
    for patient in find_patients(cohort)[::every]:
        found = predictor.predict(read_patient(patient))
        odds = np.log(found.probability) - np.log1p(-found.probability)
        bars.append(abs(sum(term.log_odds for term in found.evidence.terms) - odds))
        maps.append(abs(found.evidence_map.sum(dtype=float) - found.evidence.image.log_odds))
        image.append(abs(found.evidence.image.points))
        warned += "evidence_inexact" in {notice.code for notice in found.notices}
    low, median, high = np.percentile(image, (10, 50, 90))
    print(f"{len(bars)} patients, model {predictor.bundle.card.name} {predictor.bundle.card.version}")
    print(f"largest difference: bars {max(bars):.1e}, map {max(maps):.1e} log-odds; {warned} warnings")
    print(f"the image moves the probability by {median:.1f} points (10th to 90th percentile {low:.1f} to {high:.1f})")


def compare_with_truth(predictor: Predictor, patients: int, seed: int) -> None:
    truth, washes, inside, cores = [], [], [], []
    for index in range(patients):
        patient = make_patient(SITES["A"], index, seed)
        exam, traits = patient.exam, patient.traits
        found = predictor.predict(exam)
        window = place_window(exam.mask, exam.geometry, predictor.bundle.settings.grid)
        pre, early, late, evidence, mask = (
            sample(np.asarray(a), window) for a in (exam.pre, exam.early, exam.late, found.evidence_map, exam.mask)
        )
        tumour = mask > 0.9
        rise = (early - pre)[tumour] / pre[tumour].clip(1)
        values = evidence[tumour]
        truth.append(1.1 * traits.washout - 0.8 * traits.heterogeneity)
        washes.append((late < early)[tumour])
        inside.append(values)
        core = rise < np.median(rise) / 2
        if core.sum() >= _LEAST_CORE:
            cores.append(auc(values, (~core).astype(int)))
    sign = np.array(truth) > np.median(truth)
    voxels = np.concatenate(inside)
    patient_of = np.repeat(np.arange(patients), [len(values) for values in inside])
    mean = [float(values.mean()) for values in inside]
    print(f"{patients} phantoms of site A, seed {seed}, model {predictor.bundle.card.name}; {len(voxels)} voxels")
    print(f"(a) voxel against the patient's truth: AUC {auc(voxels, sign[patient_of].astype(int)):.3f}")
    print(f"    mean over the tumour against it: AUC {auc(np.array(mean), sign.astype(int)):.3f}")
    print(f"(b) voxel against its own wash-out: AUC {auc(voxels, np.concatenate(washes).astype(int)):.3f}")
    if cores:
        print(f"(c) tissue against core: mean AUC {np.mean(cores):.3f} of {len(cores)} tumours, SD {np.std(cores):.3f}")


def measure_time(predictor: Predictor, runs: int) -> None:
    """Seconds with and without; without, contributions, bars and map are replaced by nothing."""
    exam = make_exam(seed=1)
    nothing = np.zeros(exam.pre.shape, np.float32)
    evidence = predictor.predict(exam).evidence
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(runs):
        start = time.process_time()
        predictor.predict(exam)
        seconds["with"].append(time.process_time() - start)
        with (
            patch.object(ensemble, "contributions", lambda network, output: output.log_attention),
            patch.object(Predictor, "_explain", lambda *_: (evidence, nothing)),
        ):
            start = time.process_time()
            predictor.predict(exam)
            seconds["without"].append(time.process_time() - start)
    more = [a / b - 1 for a, b in zip(seconds["with"], seconds["without"], strict=True)]
    print(f"{runs} runs, a whole exam of {exam.pre.shape}: seconds of CPU, median")
    print({name: round(statistics.median(each), 3) for name, each in seconds.items()})
    print(f"evidence adds {100 * statistics.median(more):.1f} % ({100 * min(more):.1f} to {100 * max(more):.1f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("sums", "phantom", "time"))
    parser.add_argument("cohort", type=Path, nargs="?")
    parser.add_argument("--model")
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--every", type=int, default=1, help="every n-th patient of the cohort")
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    model = asked.model or ("ispy2" if asked.what == "sums" else "phantom")
    predictor = Predictor(load_bundle(find_bundle(model)))
    if asked.what == "sums":
        check_sums(predictor, asked.cohort, asked.every)
    elif asked.what == "phantom":
        compare_with_truth(predictor, asked.patients, asked.seed)
    else:
        measure_time(predictor, asked.runs)


if __name__ == "__main__":
    main()
