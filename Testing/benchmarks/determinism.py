"""Compare out-of-fold logits of one configuration and seed: run twice, and with fewer features of the processor.

    python Testing/benchmarks/determinism.py [--precision float32] [--patients 24] [--epochs 4]

Processors are imitated by what PyTorch and oneDNN may use of this one: AVX2 and SSE 4.1 instead of AVX-512, and no
vector instructions in PyTorch's own kernels.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

CASES = {
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "SSE 4.1": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "again": {},
    "two threads allowed": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
}


def run_pcr(*words: object, **environment: str) -> None:
    """Run `pcr` in a process of its own."""
    command = [sys.executable, "-m", "PCRTrainingLib.command_line", *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment)


def logits(run: Path) -> dict[str, float]:
    """Return patient and out-of-fold logit of every step."""
    found = {}
    for file in sorted(run.glob("fold_*/*/predictions.csv")):
        with file.open(newline="") as rows:
            found |= {f"{file.parent.name} {row['patient_id']}": float(row["logit"]) for row in csv.DictReader(rows)}
    return found


def main() -> None:
    """Train the reference and every case, and print the largest differences."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", default="float32", choices=("float32", "mixed"))
    parser.add_argument("--patients", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=4, help="of each step")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cohort, config = Path(folder) / "cohort", Path(folder) / "config.json"
        run_pcr("phantom", cohort, "--patients", given.patients, "--site", "A", "--seed", 3)
        sys.path.insert(0, "PCRTraining")
        from PCRTrainingLib.config import PRESETS, config_to_json

        steps = tuple(replace(step, epochs=given.epochs) for step in PRESETS["quick"].steps)
        quick = config_to_json(replace(PRESETS["quick"], steps=steps))
        config.write_text(json.dumps({**quick, "precision": given.precision, "split": {"folds": 2}}))
        found = {}
        for name, environment in {"reference": {}, **CASES}.items():
            out = Path(folder) / name.replace(" ", "-")
            run_pcr("train", cohort, "--out", out, "--config", config, "--keep-anyway", "--processes", 1, **environment)
            found[name] = logits(out)
            (machine,) = json.loads((out / "run.json").read_text())["machines"]
            largest = max(abs(found[name][key] - value) for key, value in found["reference"].items())
            print(f"{name}: largest difference {largest:.2e} of {len(found[name])} logits; {machine}", flush=True)


if __name__ == "__main__":
    main()
