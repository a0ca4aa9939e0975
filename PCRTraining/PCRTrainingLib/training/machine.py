"""The machine that a run is trained on: on another one, rounding makes another network of the same seed."""

import platform
import re
from pathlib import Path

import torch

from ..config import TrainingConfig
from .loop import uses_bfloat16


def describe_machine(config: TrainingConfig, device: str) -> dict[str, object]:
    """Return processor, instructions that torch uses, threads of a process, device and precision of this machine."""
    on_gpu = device.startswith("cuda")
    return {
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads() if on_gpu else 1,
        "device": torch.cuda.get_device_name(device) if on_gpu else device,
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
