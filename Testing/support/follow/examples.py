"""The course of a made-up patient with tiny exams, a made-up prediction of it, and a trial's bands."""

import datetime
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.evidence import Evidence, Term
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.prediction import ModelIdentity, OperatingPoint
from PCRPredictorLib.registration.agreement import Agreement
from PCRPredictorLib.registration.rigid import Registration
from PCRPredictorLib.response.bands import Band, Bands
from PCRPredictorLib.response.course import VISITS, Course, Visit, VisitValues
from PCRPredictorLib.response.prediction import ResponsePrediction, VisitPrediction
from scipy import ndimage

from support.examples import tiny_exam

AGREEMENT = Agreement(0.9, 0.8, 0.95, 1.0, 0.0, 0.0, around_tumour=True)
SECRET_DATE = datetime.date(2019, 3, 7)
DAYS = (0, 22, 80, 150)
VALUES = (
    VisitValues(12.4, 34.0, 0.62, 31.0, 1.2),
    VisitValues(3.1, 20.0, None, 28.0, 1.0),
    VisitValues(0.6, 12.0, 0.8, 22.0, 0.9),
    VisitValues(0.0, 0.0, None, 15.0, None, gone=True),
)
PROBABILITIES = (0.31, 0.46, 0.63, 0.81)
POINT = OperatingPoint("balanced", 0.38, 0.71, 0.66)
MODEL = ModelIdentity(
    "tiny response", "1.0.0", "c" * 64, "a trial", "Apache-2.0", "tests", {"out of fold": {"value": 0.82}}, 0.36
)
BANDS = Bands(
    tuple(
        Band(quantity, visit, responders, low * scale, 2 * low * scale, 4 * low * scale, 100)
        for quantity, scale in (("functional_volume_ml", 1.0), ("longest_diameter_mm", 3.0))
        for responders, lows in ((True, (4, 1, 0.1, 0)), (False, (5, 3, 1, 0.2)))
        for visit, low in zip(VISITS, lows, strict=True)
    )
)
CARD = SimpleNamespace(not_intended_use="other treatments", known_limits="one trial")
RESPONSE_MODEL = SimpleNamespace(bands=BANDS, card=CARD)  # what a report takes of a model


def tiny_course(visits=2, exams=(), skip=()):
    """Return a course of the first visits, with a warning at T1; `exams` are those of the first visits."""
    found = {}
    for n, name in enumerate(VISITS[:visits]):
        notices = (Notice("example", "Other phase times."),) if name == "T1" else ()
        date = SECRET_DATE + datetime.timedelta(DAYS[n])
        found[name] = Visit(name, VALUES[n], exams[n] if n < len(exams) else None, date, notices)
    found = {name: visit for name, visit in found.items() if name not in skip}
    return Course(found, {"age": 52}, "SECRET-7")


def tiny_prediction(course, notices=()):
    """Return a made-up prediction of a course, with warnings at its last visit."""
    each = [
        VisitPrediction(
            visit.name,
            share,
            (share - 0.09, share + 0.1),
            (share,),
            evidence_of(share),
            POINT,
            (POINT,),
            (*visit.notices, *(notices if visit.name == course.last else ())),
            tuple(course.until(visit.name).visits),
        )
        for visit in course
        for share in [PROBABILITIES[VISITS.index(visit.name)]]
    ]
    return ResponsePrediction(tuple(each), (), MODEL, {"Age": "52 years"}, 0.3, versions={"breastpcr": "1"})


def evidence_of(share):
    """Return two bars that add up to a probability."""
    logit = math.log(share / (1 - share))
    terms = (
        Term("base", "Base", "base", -0.5),
        Term("volume", "Functional tumour volume at T0", "measured", logit + 0.2, 9.0, "12.4 ml"),
        Term("age", "Age", "clinical", 0.3, 4.0, "52 years"),
    )
    return Evidence(terms, logit, "typical")


def tiny_exams(count=2, scale=1.0):
    """Return the baseline and later exams, in which the tumour shrinks; signals of later ones are multiplied."""
    first = tiny_exam(size=(40, 36, 8))
    exams = [first]
    for n in range(1, count):
        mask = ndimage.binary_erosion(np.asarray(first.mask) != 0, iterations=n)
        lost = (np.asarray(first.mask) != 0) & ~mask
        phases = [np.where(lost, first.pre, phase) * scale for phase in first.phases]
        exams.append(Exam(*phases, first.geometry, mask.astype(np.uint8)))
    return exams


def in_place(exams, holds=True, message="The exams match to 1 mm."):
    """Return the registrations of exams that lie where the first one lies."""
    first = exams[0].geometry
    return {
        name: Registration(np.eye(4), first, exam.geometry, holds, message, AGREEMENT)
        for name, exam in zip(VISITS[1:], exams[1:], strict=False)
    }


def without_tumour(exam):
    """Return an exam with an empty mask."""
    return replace(exam, mask=np.zeros(exam.geometry.shape, np.uint8))
