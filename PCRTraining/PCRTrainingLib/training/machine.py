"""The machine that a run is trained on: on another one, rounding makes another network of the same seed."""

import platform
import re
from pathlib import Path

import torch

from ..config import TrainingConfig
from .loop import uses_bfloat16
from .workers import Worker


def describe_machine(worker: Worker, config: TrainingConfig) -> dict[str, object]:
    """Return processor, instructions that torch uses, threads of a process, processes, device and precision."""
    on_gpu = worker.device.startswith("cuda")
    return {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "processes": max(worker.count, worker.processes),
        "device": torch.cuda.get_device_name(worker.device) if on_gpu else worker.device,
        "precision": "bfloat16 for features, else float32" if uses_bfloat16(config) else "float32",
    }


def _processor() -> str:
    """Return the name of the processor; its architecture if the system does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()
