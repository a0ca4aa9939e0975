"""From a full-size exam to attention: this library against the stock MONAI way, side by side in one run.

    make benchmark

The stock way: LoadImaged, EnsureChannelFirstd, Orientationd, Spacingd to 1 mm, CropForegroundd on the mask,
ResizeWithPadOrCropd to 96 x 96 x 64, NormalizeIntensityd, one DenseNet121 and GradCAM; its map stays on its own grid.
Ours: the bundled fold ensemble with its flips, and the map laid back onto the exam's voxels.
Both sides have their libraries imported and their networks built before the clock starts; runs alternate.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

KEYS = ("pre", "early", "late", "mask")
MEMORY_PROBE = """
import sys
from pathlib import Path
import torch
def peak():
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
before = peak()
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.reading.images import read_exam
from PCRPredictorLib.reading.mask import add_mask
files = [Path(name) for name in sys.argv[1:]]
Predictor(load_bundle(find_bundle("phantom"))).predict(add_mask(read_exam(files[:3]), files[3]))
print((peak() - before) / 1024)
"""


def make_files(folder: Path) -> list[Path]:
    """A full-size phantom exam as four gzipped NIfTI files."""
    from PCRPredictorLib.phantom.patient import make_exam
    from PCRPredictorLib.writing import write_nifti

    exam = make_exam(seed=1)
    files = [folder / f"{key}.nii.gz" for key in KEYS]
    for array, file in zip((*exam.phases, exam.mask), files, strict=True):
        write_nifti(array, exam.geometry, file)
    return files


def build_stock() -> tuple[Callable, Callable]:
    """(load, the rest) of the stock way."""
    import torch
    from monai import transforms as mt
    from monai.networks.nets import DenseNet121
    from monai.visualize import GradCAM

    modes = ["bilinear"] * 3 + ["nearest"]
    load = mt.Compose([mt.LoadImaged(KEYS), mt.EnsureChannelFirstd(KEYS)])
    prepare = mt.Compose(
        [
            mt.Orientationd(KEYS, axcodes="RAS"),
            mt.Spacingd(KEYS, pixdim=(1, 1, 1), mode=modes),
            mt.CropForegroundd(KEYS, source_key="mask"),
            mt.ResizeWithPadOrCropd(KEYS, (96, 96, 64)),
            mt.NormalizeIntensityd(KEYS[:3]),
        ]
    )
    network = DenseNet121(spatial_dims=3, in_channels=3, out_channels=2).eval()
    grad_cam = GradCAM(nn_module=network, target_layers="class_layers.relu")

    def finish(loaded: dict) -> None:
        data = prepare(loaded)
        grad_cam(torch.cat([data[key] for key in KEYS[:3]])[None].as_tensor())

    return load, finish


def timed(function: Callable, *arguments: object) -> tuple[float, object]:
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def measure(files: list[Path], runs: int) -> dict[str, list[float]]:
    """Seconds of every run, by what was timed."""
    from PCRPredictorLib.model.bundle import find_bundle, load_bundle
    from PCRPredictorLib.model.predictor import Predictor
    from PCRPredictorLib.reading.images import read_exam
    from PCRPredictorLib.reading.mask import add_mask

    stock_load, stock_finish = build_stock()
    predictor = Predictor(load_bundle(find_bundle("phantom")))
    predictor.predict(add_mask(read_exam(files[:3]), files[3]))  # both sides once before the clock starts
    stock_finish(stock_load(dict(zip(KEYS, files, strict=True))))
    seconds: dict[str, list[float]] = {name: [] for name in ("stock disk", "stock memory", "ours disk", "ours memory")}
    for _ in range(runs):
        loading, loaded = timed(stock_load, dict(zip(KEYS, files, strict=True)))
        rest, _ = timed(stock_finish, loaded)
        seconds["stock disk"].append(loading + rest)
        seconds["stock memory"].append(rest)
        reading, exam = timed(lambda: add_mask(read_exam(files[:3]), files[3]))
        predicting, _ = timed(predictor.predict, exam)
        seconds["ours disk"].append(reading + predicting)
        seconds["ours memory"].append(predicting)
    return seconds


def peak_memory(files: list[Path]) -> float:
    """MB above an interpreter with torch loaded, from disk to attention, in a fresh process."""
    command = [sys.executable, "-c", MEMORY_PROBE, *map(str, files)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def import_time(module: str) -> float:
    """Seconds to import a module in a fresh interpreter, the best of five."""
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder))
        memory = peak_memory(files)
        seconds = measure(files, runs)
    print("| from | stock MONAI, s | BreastPCR, s | times faster |")
    print("|---|---|---|---|")
    for start in ("disk", "memory"):
        stock, ours = seconds[f"stock {start}"], seconds[f"ours {start}"]
        ratios = [a / b for a, b in zip(stock, ours, strict=True)]
        cells = [f"{statistics.median(v):.2f} ({min(v):.2f} to {max(v):.2f})" for v in (stock, ours)]
        ratio = f"{statistics.median(ratios):.0f} ({min(ratios):.0f} to {max(ratios):.0f})"
        print(f"| {start} | {cells[0]} | {cells[1]} | {ratio} |")
    print(f"\nImporting PCRPredictorLib: {1000 * import_time('PCRPredictorLib'):.1f} ms.")
    print(f"Median (lowest to highest) of {runs} runs. Peak memory above an interpreter with torch: {memory:.0f} MB.")


if __name__ == "__main__":
    main()
