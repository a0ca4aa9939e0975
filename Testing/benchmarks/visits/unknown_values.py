"""Unknown values: how often the range that a response model gives holds the probability with everything known.

    .venv/bin/python Testing/benchmarks/visits/unknown_values.py --shared ../shared

Of each patient of the trial's table, the model is told a part of what is known; `missing_interval` must hold the
probability with all of it in 9 of 10 patients. They are the patients that the model was trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.response.bundle import find_response, load_response
from PCRPredictorLib.response.course import VISITS, Course, Visit, VisitValues
from PCRTrainingLib.visit_tables.patients import read_visit_tables

Hide = Callable[[Course], Course]


def keep(*names: str) -> Hide:
    """Return a function that leaves only these quantities known."""

    def hide(course: Course) -> Course:
        values = {v.name: VisitValues(**{name: v.values.get(name) for name in names}) for v in course}
        return replace(course, visits={name: Visit(name, each) for name, each in values.items()})

    return hide


HIDDEN: Mapping[str, Hide] = {
    "longest diameters alone": keep("longest_diameter_mm"),
    "functional volumes alone": keep("functional_volume_ml"),
    "no clinical values": lambda course: replace(course, clinical={}),
}


def main() -> None:
    """Print, for each set of visits and each part that is known, how often the range holds, and its median width."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    tables = [parser.parse_args().shared / "cohorts" / f"{n}.csv" for n in ("ispy2_visits", "ispy2_clinical_all")]
    model, courses = load_response(find_response()), [each for each in read_visit_tables(tables).courses if each.visits]
    for last in VISITS:
        known = [course.until(last) for course in courses]
        full = np.array([model.predict(course).last.probability for course in known])
        for name, hide in HIDDEN.items():
            ranges = [model.predict(hide(course)).last.missing_interval or (0.0, 0.0) for course in known]
            low, high = np.array(ranges).T
            inside = ((low <= full) & (full <= high)).mean()
            print(f"T0 to {last}, {name}: inside {inside:.2f}, width {np.median(high - low):.2f} (n = {len(full)})")


if __name__ == "__main__":
    main()
