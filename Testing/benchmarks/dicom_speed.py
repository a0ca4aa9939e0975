"""Reading a DICOM exam: this checkout against an older one, in alternating runs of one script.

    python Testing/benchmarks/dicom_speed.py FOLDER --against OLDER_CHECKOUT --rounds 7

Each run is a process of its own that imports, reads the folder once to fill the caches of files, and is timed on the
second reading, from headers to the voxels of the three phases.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
CODE = """
import sys, time
from pathlib import Path
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
folder = Path(sys.argv[1])
read_dicom_exam(folder)
start = time.perf_counter()
find_phases(folder)
middle = time.perf_counter()
exam = read_dicom_exam(folder)
end = time.perf_counter()
print(middle - start, end - middle, exam.provenance.picked.phases, *(int(p.sum()) for p in exam.phases), sep="|")
"""


def run(checkout: Path, folder: Path) -> tuple[float, float, str]:
    """Return the seconds for the headers and for the whole exam, and what was read."""
    paths = {"PYTHONPATH": str(checkout / "PCRPredictor"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", CODE, folder], env=paths, capture_output=True, text=True, check=True)
    headers, whole, read = done.stdout.strip().split("|", 2)
    return float(headers), float(whole), read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--against", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    found: dict[str, list[tuple[float, float, str]]] = {"older": [], "this": []}
    for _ in range(given.rounds):
        for name, checkout in (("older", given.against), ("this", HERE)):
            found[name].append(run(checkout, given.folder))
    files = sum(path.is_file() for path in given.folder.rglob("*"))
    print(f"{files} files, {given.rounds} rounds, median (lowest to highest) in s")
    for name, runs in found.items():
        for k, what in enumerate(("headers", "whole exam")):
            seconds = [run[k] for run in runs]
            low, high = min(seconds), max(seconds)
            print(f"{name:6} {what:11} {statistics.median(seconds):.3f} ({low:.3f} to {high:.3f})")
    print("same voxels:", len({run[2] for runs in found.values() for run in runs}) == 1)


if __name__ == "__main__":
    main()
