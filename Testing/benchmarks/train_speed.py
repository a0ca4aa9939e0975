"""Training: an epoch of this library against a plain MONAI loop, caching and memory, side by side in one run.

    make benchmark-training [COHORT=...]

The stock way: MONAI `CacheDataset` of the same grids in memory, `RandFlipd` and `RandScaleIntensityd`, `DataLoader`,
the same network in fp32 with torch's default threads, the same losses and optimiser.
Ours: the memory-mapped cache, channels-last, bfloat16, one thread a process; once alone, and once with a process on
every core, each training its own fold, which is how `pcr train` works. Runs alternate; medians with their range.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PCRTrainingLib.config import PRESETS, Step

STEP = Step("step2", 1, attention=True, guidance="mask cross-entropy", swap=True)
OURS = """
import sys, time
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from train_speed import epoch_of_ours
epoch = epoch_of_ours(Path(sys.argv[2]))
epoch()
print("ready", flush=True)
sys.stdin.readline()
start = time.perf_counter()
epoch()
print(time.perf_counter() - start)
"""


def epoch_of_ours(cache_folder: Path) -> Callable[[], None]:
    """One epoch of step 2 over all patients of a cache, with this library's own loop."""
    import numpy as np
    import torch
    from PCRTrainingLib.cohort.cache import read_cache
    from PCRTrainingLib.schema import build_schema
    from PCRTrainingLib.training.folds import Prepared
    from PCRTrainingLib.training.loop import build_network, train_epoch

    config, cache = PRESETS["full"], read_cache(cache_folder)
    schema, _ = build_schema(config.clinical, [record.row for record in cache.records])
    fold = Prepared(cache, schema, np.full(len(cache), -1)).fold(0, config)
    network = build_network(STEP, config, fold, {}).channels_last()
    batches = len(cache) // config.batch_size
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    generator = torch.Generator().manual_seed(0)
    return lambda: train_epoch(network, optimizer, schedule, STEP, config, fold, generator, batches, "cpu")


def epoch_of_stock(cache_folder: Path) -> Callable[[], None]:
    """One epoch of a plain fp32 loop over CacheDataset and DataLoader."""
    import numpy as np
    import torch
    from monai.data import CacheDataset, DataLoader
    from monai.transforms import Compose, EnsureTyped, RandFlipd, RandScaleIntensityd
    from PCRPredictorLib.network import PCRNet
    from PCRTrainingLib.cohort.cache import read_cache
    from PCRTrainingLib.guidance import mask_cross_entropy
    from PCRTrainingLib.training.explanation import explain
    from PCRTrainingLib.training.objective import classification_loss

    cache = read_cache(cache_folder)
    image, mask = cache.image_and_mask(np.arange(len(cache)))
    items = [{"image": i, "mask": m, "label": float(y)} for i, m, y in zip(image, mask, cache.labels, strict=True)]
    flips = [RandFlipd(("image", "mask"), prob=0.5, spatial_axis=axis) for axis in range(3)]
    transform = Compose([EnsureTyped(("image", "mask")), *flips, RandScaleIntensityd("image", factors=0.1, prob=1.0)])
    dataset = CacheDataset(items, transform, progress=False)
    loader = DataLoader(dataset, batch_size=PRESETS["full"].batch_size, shuffle=True, drop_last=True)
    network = PCRNet(attention=True)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    weight = torch.tensor(1.0)

    def epoch() -> None:
        network.train()
        for batch in loader:
            output = network(batch["image"].as_tensor())
            loss = classification_loss(output.logit, batch["label"].float(), weight)
            loss = loss + 0.3 * mask_cross_entropy(explain(output, batch["image"], batch["mask"].as_tensor()))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch


def run_ours(cache: Path, processes: int) -> float:
    """Seconds of an epoch while this many processes train, each an epoch of its own."""
    command = [sys.executable, "-c", OURS, str(Path(__file__).parent), str(cache)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(processes)
    ]
    for child in children:
        assert child.stdout.readline().strip() == "ready"
    with ThreadPoolExecutor(processes) as pool:
        answers = list(pool.map(lambda child: float(child.communicate("\n")[0]), children))
    return max(answers)


def show(name: str, values: list[float]) -> str:
    return f"{name} {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", type=Path, help="a cohort; a simulated one of 198 patients if not given")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort = arguments.cohort
        if cohort is None:
            from PCRPredictorLib.phantom.cohort import write_cohort
            from PCRPredictorLib.phantom.site import find_site

            cohort = folder / "cohort"
            write_cohort(cohort, 198, find_site("A"), 0)
        caching = time_caching(cohort, folder / "cache")
        stock_epoch = epoch_of_stock(folder / "cache")
        stock_epoch()
        stock, alone, together = [], [], []
        for _ in range(arguments.runs):
            start = time.perf_counter()
            stock_epoch()
            stock.append(time.perf_counter() - start)
            alone.append(run_ours(folder / "cache", 1))
            together.append(run_ours(folder / "cache", cores) / cores)
        print(f"{arguments.runs} runs, {cores} cores, seconds an epoch: median (lowest to highest)")
        print(show("stock MONAI loop", stock))
        print(show("ours, one process", alone))
        print(show(f"ours, {cores} processes, time divided by epochs trained", together))
        print(show("times faster, one process", [s / a for s, a in zip(stock, alone, strict=True)]))
        print(show("times faster, all cores", [s / t for s, t in zip(stock, together, strict=True)]))
        print(f"first-time caching of the cohort: {caching:.1f} s")
        print(f"peak memory of pcr train, all processes together: {peak_memory(cohort, folder / 'run'):.0f} MB")


def time_caching(cohort: Path, folder: Path) -> float:
    from PCRPredictorLib.reading.cohort import find_patients
    from PCRTrainingLib.cohort.build import open_or_build
    from PCRTrainingLib.schema import build_schema

    config = PRESETS["full"]
    start = time.perf_counter()
    schema, _ = build_schema(config.clinical, [patient.row for patient in find_patients(cohort)])
    open_or_build(cohort, folder, config.grid, schema)
    return time.perf_counter() - start


def peak_memory(cohort: Path, out: Path) -> float:
    """Highest sum of the proportional memory (PSS) of `pcr train --config quick` and its children, MB."""
    import psutil

    command = [sys.executable, "-m", "PCRTrainingLib.command_line", "train", str(cohort), "--out", str(out)]
    child = subprocess.Popen([*command, "--config", "quick", "--keep-anyway"], stdout=subprocess.DEVNULL)
    peak, process = 0.0, psutil.Process(child.pid)
    while child.poll() is None:
        total = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                total += one.memory_full_info().pss
            except psutil.Error:
                continue
        peak = max(peak, total / 2**20)
        time.sleep(0.3)
    assert child.returncode == 0
    return peak


if __name__ == "__main__":
    main()
