"""BreastPCR from Python: predict pCR from breast DCE-MRI, follow a tumour under treatment, train and evaluate models.

    import breastpcr

    exam = breastpcr.read("exam", mask="tumour.nii.gz", clinical={"age": 52, "hr": "positive"})
    prediction = breastpcr.predict(exam, out="result")
    follow_up = breastpcr.follow({"T0": "before", "T1": "during"}, masks={"T0": "t0.nii.gz", "T1": "t1.nii.gz"})
    run = breastpcr.train("cohort", out="run")
    evaluation = breastpcr.evaluate("elsewhere", model=run.bundle, out="evaluation")

The functions do what the commands of `pcr` do, by the same code. An error in the data is a `DataError` with one
sentence that says what to do. Nothing is printed: warnings are in the results, and the logger "breastpcr" has what the
commands would print. Importing this package loads nothing else; torch is loaded by the first prediction.

Arrays are indexed (k, j, i): slice, row, column. Positions are LPS in mm. Research use only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PCRPredictorLib import __version__ as __version__
    from PCRPredictorLib.calls.follow_up import FollowUp as FollowUp
    from PCRPredictorLib.errors import CallError as CallError
    from PCRPredictorLib.errors import DataError as DataError
    from PCRPredictorLib.errors import Notice as Notice
    from PCRPredictorLib.exam import Exam as Exam
    from PCRPredictorLib.finding.find import Candidate as Candidate
    from PCRPredictorLib.geometry import Geometry as Geometry
    from PCRPredictorLib.model.predictor import Predictor as Predictor
    from PCRPredictorLib.prediction import Prediction as Prediction
    from PCRPredictorLib.reading.sources import Source as Source
    from PCRPredictorLib.response.model import ResponseModel as ResponseModel

    from .exams import find_exams as find_exams
    from .exams import find_tumour as find_tumour
    from .exams import grow_tumour as grow_tumour
    from .exams import read as read
    from .following import follow as follow
    from .loading import load_model as load_model
    from .loading import load_response_model as load_response_model
    from .loading import models as models
    from .predicting import predict as predict
    from .predicting import write as write
    from .simulating import phantom as phantom
    from .training import Evaluation as Evaluation
    from .training import Run as Run
    from .training import evaluate as evaluate
    from .training import train as train

_PLACES = {  # of each public name; PEP 562
    "CallError": "PCRPredictorLib.errors",
    "Candidate": "PCRPredictorLib.finding.find",
    "DataError": "PCRPredictorLib.errors",
    "Evaluation": "breastpcr.training",
    "Exam": "PCRPredictorLib.exam",
    "FollowUp": "PCRPredictorLib.calls.follow_up",
    "Geometry": "PCRPredictorLib.geometry",
    "Notice": "PCRPredictorLib.errors",
    "Prediction": "PCRPredictorLib.prediction",
    "Predictor": "PCRPredictorLib.model.predictor",
    "ResponseModel": "PCRPredictorLib.response.model",
    "Run": "breastpcr.training",
    "Source": "PCRPredictorLib.reading.sources",
    "__version__": "PCRPredictorLib",
    "evaluate": "breastpcr.training",
    "find_exams": "breastpcr.exams",
    "find_tumour": "breastpcr.exams",
    "follow": "breastpcr.following",
    "grow_tumour": "breastpcr.exams",
    "load_model": "breastpcr.loading",
    "load_response_model": "breastpcr.loading",
    "models": "breastpcr.loading",
    "phantom": "breastpcr.simulating",
    "predict": "breastpcr.predicting",
    "read": "breastpcr.exams",
    "train": "breastpcr.training",
    "write": "breastpcr.predicting",
}
__all__ = [
    "CallError",
    "Candidate",
    "DataError",
    "Evaluation",
    "Exam",
    "FollowUp",
    "Geometry",
    "Notice",
    "Prediction",
    "Predictor",
    "ResponseModel",
    "Run",
    "Source",
    "__version__",
    "evaluate",
    "find_exams",
    "find_tumour",
    "follow",
    "grow_tumour",
    "load_model",
    "load_response_model",
    "models",
    "phantom",
    "predict",
    "read",
    "train",
    "write",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'breastpcr' has no attribute {name!r}")
    found: object = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
