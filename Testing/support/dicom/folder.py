"""Folders of DICOM as hospitals and downloads have them: tiny exams of which each slice and file can be changed."""

from pathlib import Path

import numpy as np
import pydicom
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.exam import Geometry
from pydicom.uid import generate_uid

from support.dicom_exam import clock, write_slice

GRID = Geometry((8, 8, 4), (1.5, 1.5, 3.0), (-20.0, -30.0, 10.0))
TIMES = (0, 75, 150, 270, 390)  # s
_K, _J, _I = np.indices(GRID.shape)
PHASES = [(100 + 9 * _K + 3 * _J + _I + gain * (_I > 4)).astype(np.int16) for gain in (0, 90, 150, 140, 130)]


def write_series(folder, number, array, time=0, change=None, geometry=GRID, **tags):
    """Write one series as Siemens does, a phase; `change` gives tags of slice k, `tags` those of all."""
    uid = generate_uid()
    for k in range(len(array)):
        own = {
            "SeriesInstanceUID": uid,
            "SeriesNumber": number,
            "InstanceNumber": k + 1,
            "AcquisitionTime": clock(time),
        }
        write_slice(Path(folder), geometry, array[k], k, 1, {**own, **tags, **(change(k) if change else {})})


def write_apart(folder, change=None, count=5, **tags):
    """Write a series per phase, numbered from 5, each in a folder; `change` gives tags of slice k of phase p."""
    for p in range(count):
        own = change and (lambda k, p=p: change(p, k))
        write_series(Path(folder) / f"series{5 + p}", 5 + p, PHASES[p], TIMES[p], own, **tags)


def write_together(folder, change=None, count=5, slices=lambda p: range(4), **tags):
    """Write one series with temporal positions and one acquisition time, as Philips does; `slices` chooses some."""
    held = [(p, k) for p in range(count) for k in slices(p)]
    for n, (p, k) in enumerate(held):
        own = {
            "SeriesInstanceUID": "1.2.3",
            "SeriesNumber": 5,
            "InstanceNumber": n + 1,
            "TemporalPositionIdentifier": p + 1,
            "NumberOfTemporalPositions": count,
            "AcquisitionTime": "101500.00",
        }
        write_slice(Path(folder), GRID, PHASES[p][k], k, 1, {**own, **tags, **(change(p, k) if change else {})})


def change_files(folder, change):
    """Change the data sets in a folder; `change` gets each and may return False to leave it as it is."""
    for file in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        data = pydicom.dcmread(file)
        if change(data) is not False:
            data.save_as(file)


def phases_of(exam):
    """Return the numbers of the phases in `PHASES` that were read as pre, early and late."""
    found = []
    for array in exam.phases:
        found += [p for p, phase in enumerate(PHASES) if np.array_equal(np.asarray(array), phase)]
    return tuple(found)


def read(folder, pick=None):
    """Return the numbers of the phases that were read, what was left aside by reason, and the codes of warnings."""
    exam = read_dicom_exam(Path(folder), pick)
    provenance = exam.provenance
    aside = {item.reason: (item.name, item.files, item.looks_like_phase) for item in provenance.left_aside}
    return phases_of(exam), aside, [notice.code for notice in provenance.notices]
