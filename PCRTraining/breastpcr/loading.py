"""Models that predict: those that ship, those that were trained here."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from PCRPredictorLib.bundles.folder import DEFAULT_MODEL, bundled_models
from PCRPredictorLib.errors import within_memory
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.response.bundle import DEFAULT as DEFAULT_RESPONSE
from PCRPredictorLib.response.bundle import find_response, load_response
from PCRPredictorLib.response.model import ResponseModel


def models() -> dict[str, Path]:
    """Return the models that ship, by name: those of one exam, and `response` for several visits."""
    return bundled_models()


@within_memory()
def load_model(model: str | PathLike[str] = DEFAULT_MODEL, *, device: str = "cpu") -> Predictor:
    """Load a model of one exam, to predict many without loading it each time.

    Args:
        model: name of a model that ships, a bundle folder, or that of a training run.
        device: "cpu" or "cuda".

    Returns:
        The predictor, for `predict`; its bundle, with card, operating points and clinical schema, is
        `predictor.bundle`.

    Raises:
        DataError: if there is no such model, it is damaged, or the device is missing.

    Example:
        model = breastpcr.load_model("ispy2")
        predictions = [breastpcr.predict(source.read(), model) for source in breastpcr.find_exams("cohort")]
    """
    return Predictor(load_bundle(find_bundle(_as_name(model))), device)


def load_response_model(model: str | PathLike[str] = DEFAULT_RESPONSE) -> ResponseModel:
    """Load a model of several visits, for `follow`.

    Args:
        model: name of a model that ships, a bundle folder, or that of a training run.

    Raises:
        DataError: if there is no such model, or it is damaged.
    """
    return load_response(find_response(_as_name(model)))


def _as_name(model: str | PathLike[str]) -> str | Path:
    return model if isinstance(model, str) else Path(model)
