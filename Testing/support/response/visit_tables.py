"""Tables of simulated patients at four visits, in the ways of several trials. Nothing in them is of a real patient."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from openpyxl import Workbook

VISITS = ("T0", "T1", "T2", "T3")
Cells = dict[str, list[object]]  # column to its cells
TRIAL = ("MRI LD Baseline", "MRI LD 1-3dAC", "MRI LD InterReg", "MRI LD PreSurg")


def simulate(patients: int = 80, seed: int = 0) -> Cells:
    """Return patients whose tumours shrink more if they respond; diameters in mm, volumes in ml."""
    rng = np.random.default_rng(seed)
    hr, her2 = (rng.random(patients) < share for share in (0.55, 0.25))
    pcr = rng.random(patients) < 1 / (1 + np.exp(1.4 + 0.9 * hr - 1.0 * her2))
    start = np.exp(rng.normal(3.7, 0.4, patients))
    cells: Cells = {
        "patient_id": [f"S{k:03d}" for k in range(patients)],
        "age": [*np.round(rng.normal(50, 9, patients).clip(25, 75), 2)],
        "hr": [*hr.astype(int)],
        "her2": [*her2.astype(int)],
        "pcr": [*pcr.astype(int)],
    }
    for k, visit in enumerate(VISITS):
        shrink = np.exp(-k * (0.15 + 0.3 * pcr) + 0.12 * np.sqrt(k) * rng.normal(size=patients))
        diameter = np.where(rng.random(patients) < 0.12 * k * (0.4 + pcr), 0, start * shrink)
        volume = 0.0002 * (start * shrink) ** 3 * np.exp(0.3 * rng.normal(size=patients))
        cells[f"longest_diameter_mm_{visit}"] = [*np.round(diameter, 1)]
        cells[f"functional_volume_ml_{visit}"] = [*np.round(volume, 3)]
        cells[f"sphericity_{visit}"] = [*np.round(rng.uniform(0.1, 0.5, patients), 3)]
        cells[f"background_enhancement_percent_{visit}"] = [*np.round(rng.uniform(8, 50, patients), 1)]
    return cells


def only(cells: Cells, names: Sequence[str]) -> Cells:
    """Return some of the columns."""
    return {name: cells[name] for name in names}


def write_csv(cells: Cells, path: Path, separator: str = ",") -> Path:
    """Write a table as text."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(cells)
        writer.writerows(zip(*cells.values(), strict=True))
    return path


def write_workbook(sheets: Mapping[str, Cells], path: Path) -> Path:
    """Write a workbook; None is an empty cell."""
    book = Workbook()
    book.remove(book.active)
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(list(cells))
        for row in zip(*cells.values(), strict=True):
            sheet.append([value.item() if isinstance(value, np.generic) else value for value in row])
    book.save(path)
    return path


def other_trial(path: Path, patients: int = 80, seed: int = 1, visits: int = 4) -> Path:
    """Write a workbook with diameters in mm without a unit, receptors in two ways, numeric names, outcomes apart."""
    cells = simulate(patients, seed)
    numbers = [1001 + 2 * k for k in range(patients)]
    hr, her2 = cells["hr"], cells["her2"]
    status = ["HER2pos" if b else "HRposHER2neg" if a else "TripleNeg" for a, b in zip(hr, her2, strict=True)]
    clinical: Cells = {"SUBJECTID": [*numbers], "age": cells["age"], "race_id": [1] * patients}
    clinical |= {"ERpos": hr, "PgRpos": hr, "HR Pos": [2, *hr[1:]], "Her2MostPos": [None, *her2[1:]]}
    clinical |= {"HR_HER2_CATEGORY": [1 + 2 * b for b in her2], "HR_HER2_STATUS": [*status]}
    for name, visit in zip(TRIAL[:visits], VISITS[:visits], strict=True):
        clinical[name] = [int(value) for value in cells[f"longest_diameter_mm_{visit}"]]
    clinical[TRIAL[visits - 1]][5] = None
    outcome: Cells = {"SUBJECTID": [*reversed(numbers)], "PCR": [None, *reversed(cells["pcr"][:-1])]}
    outcome["RCBClass"] = [0 if value == 1 else 2 for value in outcome["PCR"]]
    notes: Cells = {"Column": ["age", "PCR"], "Description": ["in years", "pathological complete response"]}
    return write_workbook({"Notes": notes, "Clinical": clinical, "Outcomes": outcome}, path)
