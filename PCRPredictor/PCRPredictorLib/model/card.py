"""The model card and the settings of a bundle, and their JSON forms."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, get_args

from ..clinical import ClinicalSchema
from ..prediction import ModelIdentity, OperatingPoint
from .calibration import Averaging
from .grid import GridSpec
from .normalisation import CHANNELS

FORMAT = 1
_RECALIBRATED = ", cross-fitted"  # end of the name of the patients whose labels fitted a recalibration
_NETWORK = "PCRPredictorLib.network.PCRNet"
_METADATA_SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)


@dataclass(frozen=True)
class ModelCard:
    """The facts that a user needs before trusting a model, in plain sentences.

    Args:
        metrics: by patients, then by name: {"value", "low", "high"} or a plain number.
        subgroups: by "variable: group": patients, positives and, if there are enough, AUC.
        failures: the patients with the largest errors, in words.
        timing: when the phases of the training patients were acquired, in words.
        elsewhere: how well models that were trained the same way did on patients of sites that they had not seen.
        variables: range of each number that the model reads in the training patients, and how tables and exams agree.
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
    timing: str = ""
    elsewhere: str = ""
    variables: tuple[str, ...] = ()

    @property
    def is_of_phantoms(self) -> bool:
        """Return True if the training patients were simulated."""
        return "simulated" in self.training_data.lower() or self.training_data.upper().startswith("PHANTOM")

    @property
    def auc(self) -> dict[str, object]:
        """Return the AUC on each group of patients that it was measured on, with its interval."""
        found = {of: values.get("auc") for of, values in self.metrics.items() if isinstance(values, Mapping)}
        return {of: auc for of, auc in found.items() if auc is not None}

    @property
    def calibration(self) -> dict[str, dict[str, object]]:
        """Return calibration slope and in the large on each group of patients that both were measured on.

        Of a model that was recalibrated, those of before do not count.
        """
        names = {"slope": "calibration_slope", "in_the_large": "calibration_in_the_large"}
        adapted = {"slope": "calibration_slope", "in_the_large": "calibration_intercept"}  # with a slope of 1
        groups = {of: values for of, values in self.metrics.items() if isinstance(values, Mapping)}
        if now := {of: values for of, values in groups.items() if of.endswith(_RECALIBRATED)}:
            groups, names = now, adapted
        found = {of: {name: values.get(key) for name, key in names.items()} for of, values in groups.items()}
        return {of: values for of, values in found.items() if None not in values.values()}

    def identify(self, checksum: str, base_rate: float | None) -> ModelIdentity:
        """Return the description of the model in a prediction.

        Args:
            checksum: SHA-256 of the bundle.
            base_rate: share of the training patients with pCR, in [0, 1]; None for that of the card.
        """
        return ModelIdentity(
            self.name,
            self.version,
            checksum,
            self.training_data,
            self.licence,
            self.intended_use,
            auc=self.auc,
            base_rate=base_rate if base_rate is not None else self.base_rate,
            calibration=self.calibration,
            elsewhere=self.elsewhere,
        )

    @property
    def base_rate(self) -> float | None:
        """Return the share of the training patients with pCR by the subgroups of a variable that all have."""
        counts: dict[str, list[int]] = {}
        for name, group in self.subgroups.items():
            total = counts.setdefault(name.partition(":")[0], [0, 0])
            total[0] += int(group["patients"])  # type: ignore[call-overload]
            total[1] += int(group["positives"])  # type: ignore[call-overload]
        patients, positives = max(counts.values(), default=[0, 0])
        return positives / patients if patients else None


@dataclass(frozen=True)
class TrainingRange:
    """The range of one quantity in the training patients.

    Args:
        quantity: a key of `tumour.measure`.
        low, high: 1st and 99th percentile, in the unit that `tumour.QUANTITIES` gives.
    """

    quantity: str
    low: float
    high: float


@dataclass(frozen=True)
class TrainingTimes:
    """When a phase of the training patients was acquired, in s. Times are those at which an acquisition began.

    Args:
        phase: "early", after the pre-contrast phase; or "late", after the first phase after contrast.
        low, high: 5th and 95th percentile.
        quartiles: 25th, 50th and 75th percentile.
        patients: number of training patients whose times are known.
    """

    phase: str
    low: float
    high: float
    quartiles: tuple[float, float, float]
    patients: int


@dataclass(frozen=True)
class Typical:
    """The terms of the training patients' logits on average, against which those of a patient are shown.

    They are means over the patients with images and over the folds, not calibrated.

    Args:
        image: image logit, out of fold.
        variables: term of each variable by name, against "unknown"; a patient whose value is unknown counts as 0.
    """

    image: float
    variables: Mapping[str, float]


@dataclass(frozen=True)
class InferenceSettings:
    """The settings of a model at inference.

    Args:
        network: arguments of `PCRNet`.
        grid: of the window that the model reads.
        flips: test-time flips, each a tuple of axes of (slices, rows, columns); the image itself is always included.
        calibration: (slope, offset) applied to a fold's logit before the sigmoid, fitted to out-of-fold predictions.
        operating_points: the first one is the default.
        familiar: ranges of the training patients.
        times: of the training patients' phases; empty if unknown.
        base_rate: share with pCR of the patients of whom the operating points' rates are; None if unknown.
        averaging: of the folds, "logit" or "probability", see `calibration.average`. Bundles before 2.0 do not name it
            and average probabilities.
        typical: terms of the training patients; None in bundles before 2.0.
    """

    network: Mapping[str, object]
    grid: GridSpec
    flips: tuple[tuple[int, ...], ...]
    calibration: tuple[float, float]
    operating_points: tuple[OperatingPoint, ...]
    familiar: tuple[TrainingRange, ...] = ()
    times: tuple[TrainingTimes, ...] = ()
    base_rate: float | None = None
    averaging: Averaging = "probability"
    typical: Typical | None = None


def metadata_to_json(card: ModelCard, schema: ClinicalSchema, grid: GridSpec) -> dict[str, object]:
    """Return `metadata.json` of a MONAI bundle: the fields that every reader of bundles expects, and the card."""
    channels = {str(i): name for i, name in enumerate(CHANNELS)}
    image = {
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
    return {"breastpcr_format": FORMAT, **common_metadata(card, schema, {"image": image})}


def common_metadata(card: ModelCard, schema: ClinicalSchema, inputs: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of `metadata.json` that every kind of model has; neither torch nor MONAI is loaded.

    Args:
        inputs: the block `inputs` of `network_data_format`.
    """
    probability = {
        "type": "probabilities",
        "format": "classes",
        "num_channels": 1,
        "spatial_shape": [1],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": {"0": "probability of pathological complete response"},
    }
    return {
        "schema": _METADATA_SCHEMA,
        "version": card.version,
        "changelog": card.changelog or {card.version: "first version"},
        "monai_version": installed_version("monai"),
        "pytorch_version": installed_version("torch"),
        "numpy_version": installed_version("numpy"),
        "task": "Prediction of pathological complete response to neoadjuvant therapy from breast DCE-MRI",
        "description": card.description,
        "authors": card.authors,
        "copyright": card.licence,
        "intended_use": card.intended_use,
        "network_data_format": {"inputs": inputs, "outputs": {"pred": probability}},
        "clinical_schema": schema.to_json(),
        "card": asdict(card),
    }


def installed_version(package: str) -> str:
    """Return the version of an installed package, without what follows a plus sign; "none" if it is not installed."""
    try:
        return version(package).split("+")[0]
    except PackageNotFoundError:
        return "none"


def settings_to_json(settings: InferenceSettings) -> dict[str, object]:
    """Return `inference.json` of a bundle."""
    content = asdict(settings)
    content["network"] = {"_target_": _NETWORK, **settings.network}
    return content


def settings_from_json(content: Mapping[str, object]) -> InferenceSettings:
    """Return the settings that `settings_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: if `content` is anything else.
    """
    network = dict(content["network"])  # type: ignore[call-overload]
    if network.pop("_target_") != _NETWORK:
        raise ValueError(f"its network must be {_NETWORK}")
    averaging = content.get("averaging", "probability")
    if averaging not in get_args(Averaging):
        raise ValueError(f"averaging must be one of {', '.join(get_args(Averaging))}, got {averaging!r}")
    typical: Any = content.get("typical")
    times = [{**item, "quartiles": tuple(item["quartiles"])} for item in content.get("times", [])]  # type: ignore[attr-defined]
    return InferenceSettings(
        network=network,
        grid=GridSpec(**content["grid"]),  # type: ignore[arg-type]
        flips=tuple(tuple(axes) for axes in content["flips"]),  # type: ignore[attr-defined]
        calibration=tuple(content["calibration"]),  # type: ignore[arg-type]
        operating_points=tuple(OperatingPoint.from_json(point) for point in content["operating_points"]),  # type: ignore[attr-defined]
        familiar=tuple(TrainingRange(**item) for item in content["familiar"]),  # type: ignore[attr-defined]
        times=tuple(TrainingTimes(**item) for item in times),
        base_rate=content.get("base_rate"),  # type: ignore[arg-type]
        averaging=averaging,  # type: ignore[arg-type]
        typical=Typical(**typical) if typical is not None else None,
    )
