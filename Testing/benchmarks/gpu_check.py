"""The same predictions and training on a GPU as on one core of the CPU, and how long each takes.

    python Testing/benchmarks/gpu_check.py --out build/gpu

Simulated exams are predicted with a bundled model on both, one by one, after five that do not count; then a small
curriculum is trained on both with the same seed.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.site import find_site
from PCRPredictorLib.reading.sources import find_sources

_WARM = 5  # exams that are not counted


def predict_all(cohort: Path, model: str, device: str) -> dict[str, np.ndarray]:
    """Return probability, seconds and attention of every exam."""
    predictor = Predictor(load_bundle(find_bundle(model)), device)
    exams = [source.read() for source in find_sources([cohort])]
    found: dict[str, list] = {"probability": [], "seconds": [], "attention": []}
    for exam in [*exams[:_WARM], *exams]:
        started = time.perf_counter()
        prediction = predictor.predict(exam)
        found["seconds"].append(time.perf_counter() - started)
        found["probability"].append(prediction.probability)
        found["attention"].append(prediction.attention)
    return {name: np.array(values[_WARM:]) for name, values in found.items()}


def compare_predictions(cohort: Path, model: str) -> dict[str, object]:
    """Return the largest differences between both devices, and the median seconds of each."""
    both = {device: predict_all(cohort, model, device) for device in ("cpu", "cuda")}
    return {
        "exams": len(both["cpu"]["probability"]),
        **{
            f"largest difference of {name}": float(abs(both["cpu"][name] - both["cuda"][name]).max())
            for name in ("probability", "attention")
        },
        **{f"seconds, {device}": spread(found["seconds"]) for device, found in both.items()},
    }


def compare_training(cohort: Path, out: Path, config: str) -> dict[str, object]:
    """Return the seconds of a training run on each device, and how far its out-of-fold results differ."""
    seconds, rows = {}, {}
    for device in ("cpu", "cuda"):
        run = out / f"run-{device}"
        command = [sys.executable, "-m", "PCRTrainingLib.command_line", "train", str(cohort), "--config", config]
        started = time.perf_counter()
        subprocess.run(
            [*command, "--keep-anyway", "--device", device, "--out", str(run)], check=True, stdout=subprocess.DEVNULL
        )
        seconds[device] = time.perf_counter() - started
        with (run / "oof.csv").open(encoding="utf-8") as file:
            rows[device] = {row["patient_id"]: float(row["probability"]) for row in csv.DictReader(file)}
    pairs = np.array([(rows["cpu"][name], rows["cuda"][name]) for name in rows["cpu"]])
    return {
        "patients": len(pairs),
        "seconds": seconds,
        "difference of out-of-fold probability, median and largest": [
            float(np.median(abs(pairs[:, 0] - pairs[:, 1]))),
            float(abs(pairs[:, 0] - pairs[:, 1]).max()),
        ],
        "correlation": float(np.corrcoef(pairs.T)[0, 1]),
    }


def spread(seconds: np.ndarray) -> str:
    """Return median, lowest and highest."""
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f} to {max(seconds):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("build/gpu"))
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--model", default="ispy2")
    parser.add_argument("--config", default="quick")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cohort = arguments.out / "cohort"
    if not cohort.exists():
        write_cohort(cohort, arguments.patients, find_site("A"), 1)
    result = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__}
    result["prediction"] = compare_predictions(cohort, arguments.model)
    print(json.dumps(result, indent=1), flush=True)
    result["training"] = compare_training(cohort, arguments.out, arguments.config)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
