"""What a bundle says: the model card and the settings it is run with, and their JSON forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ..clinical import ClinicalSchema
from ..prediction import OperatingPoint
from .grid import GridSpec
from .normalisation import CHANNELS

FORMAT = 1
_NETWORK = "PCRPredictorLib.network.PCRNet"
_METADATA_SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)


@dataclass(frozen=True)
class ModelCard:
    """What a person has to know about a model before trusting it; texts are plain sentences.

    Args:
        metrics: patients to their metrics by name: {"value", "low", "high"} or a plain number.
        subgroups: "variable: group" to its patients, positives and, where there are enough, AUC.
        failures: the patients that it was most wrong about, in words.
    """

    name: str
    version: str
    description: str
    authors: str
    licence: str
    training_data: str
    intended_use: str
    not_intended_use: str
    known_limits: str
    metrics: Mapping[str, object] = field(default_factory=dict)
    changelog: Mapping[str, str] = field(default_factory=dict)
    subgroups: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class FamiliarRange:
    """What the training patients were like in one quantity; outside it the model was not trained.

    Args:
        quantity: a quantity that the predictor measures (`predictor.describe_exam`).
        low, high: 1st and 99th percentile of the training patients, in the quantity's unit.
    """

    quantity: str
    low: float
    high: float


@dataclass(frozen=True)
class InferenceSettings:
    """How a model is run.

    Args:
        network: arguments of `PCRNet`.
        grid: the window that it reads.
        flips: test-time flips, each a tuple of axes of (slices, rows, columns); the plain image is always there.
        calibration: (slope, offset) applied to a fold's logit before the sigmoid, fixed on out-of-fold predictions.
        operating_points: the first one is the default.
        familiar: ranges of the training patients.
    """

    network: Mapping[str, object]
    grid: GridSpec
    flips: tuple[tuple[int, ...], ...]
    calibration: tuple[float, float]
    operating_points: tuple[OperatingPoint, ...]
    familiar: tuple[FamiliarRange, ...] = ()


def metadata_to_json(card: ModelCard, schema: ClinicalSchema, grid: GridSpec) -> dict[str, object]:
    """`metadata.json` of a MONAI bundle: what every reader of bundles expects, and the card."""
    import monai
    import numpy
    import torch

    channels = {str(i): name for i, name in enumerate(CHANNELS)}
    return {
        "schema": _METADATA_SCHEMA,
        "breastpcr_format": FORMAT,
        "version": card.version,
        "changelog": card.changelog or {card.version: "first version"},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.split("+")[0],
        "numpy_version": numpy.__version__,
        "task": "Prediction of pathological complete response to neoadjuvant therapy from breast DCE-MRI",
        "description": card.description,
        "authors": card.authors,
        "copyright": card.licence,
        "intended_use": card.intended_use,
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": "MR",
                    "num_channels": len(CHANNELS),
                    "spatial_shape": list(grid.shape),
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": True,
                    "channel_def": channels,
                }
            },
            "outputs": {
                "pred": {
                    "type": "probabilities",
                    "format": "classes",
                    "num_channels": 1,
                    "spatial_shape": [1],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": False,
                    "channel_def": {"0": "probability of pathological complete response"},
                }
            },
        },
        "clinical_schema": schema.to_json(),
        "card": asdict(card),
    }


def settings_to_json(settings: InferenceSettings) -> dict[str, object]:
    """`inference.json` of a bundle."""
    content = asdict(settings)
    content["network"] = {"_target_": _NETWORK, **settings.network}
    return content


def settings_from_json(content: Mapping[str, object]) -> InferenceSettings:
    """The settings that `settings_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: if they are not.
    """
    network = dict(content["network"])  # type: ignore[call-overload]
    if network.pop("_target_") != _NETWORK:
        raise ValueError(f"its network must be {_NETWORK}")
    return InferenceSettings(
        network=network,
        grid=GridSpec(**content["grid"]),  # type: ignore[arg-type]
        flips=tuple(tuple(axes) for axes in content["flips"]),  # type: ignore[attr-defined]
        calibration=tuple(content["calibration"]),  # type: ignore[arg-type]
        operating_points=tuple(OperatingPoint(**point) for point in content["operating_points"]),  # type: ignore[attr-defined]
        familiar=tuple(FamiliarRange(**item) for item in content["familiar"]),  # type: ignore[attr-defined]
    )
