"""Files of a patient who is followed: exams of two visits, their masks, and a table of what was measured."""

import shutil

from PCRPredictorLib.follow.content import COLUMNS, to_rows
from PCRPredictorLib.writing import write_whole_csv

from support.follow.examples import tiny_course
from support.follow_up.visits import later_exam, write_study


def write_followed(folder, exam):
    """Write an exam and a later one as DICOM, alone and in one folder, the later one's mask, and a table of values.

    Returns:
        The files by the names that commands of the documentation give them.
    """
    for name, day, each in (("before", 0, exam), ("during", 22, later_exam(exam))):
        for place in (folder / name, folder / "patient" / name):
            write_study(place, day, each)
    shutil.copy(folder / "tumour.nii.gz", folder / "tumour-t1.nii.gz")
    course = tiny_course(2)
    write_whole_csv(COLUMNS, to_rows(course), folder / "patient.csv")
    names = ("before", "during", "patient", "tumour-t1.nii.gz")
    return {**{name: folder / name for name in names}, ("--values", "visits.csv"): folder / "patient.csv"}
