"""The configuration of a training run: one frozen dataclass, saved as `config.json` in the run folder."""

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from PCRPredictorLib.backbones.names import NAMES
from PCRPredictorLib.clinical import Category, Number
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.json_text import parse_json
from PCRPredictorLib.files.limits import JSON
from PCRPredictorLib.files.opening import read_content
from PCRPredictorLib.model.grid import GridSpec
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from .guidance import GUIDANCE
from .schema import USUAL

NetworkName: TypeAlias = Literal[NAMES]  # type: ignore[valid-type]
GuidanceName: TypeAlias = Literal[tuple(GUIDANCE)]  # type: ignore[valid-type]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
_CONFIG = ConfigDict(extra="forbid", use_attribute_docstrings=True)  # the docstrings are the tooltips of a form


@dataclass(frozen=True)
class Step:
    """One step of training: network parts, losses, initial weights.

    Raises:
        ValueError: if the guidance needs a gate that the step does not have.
    """

    __pydantic_config__ = _CONFIG

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-]+$")]
    """Name of the step's folder, fold_k/<name>."""
    epochs: Annotated[int, Field(ge=1, le=10000)]
    """Passes over the training patients."""
    after: str | None = None
    """Step whose weights this one starts from; None for random weights."""
    attention: bool = False
    """Give the network its gate."""
    clinical: bool = False
    """Fuse the clinical branch."""
    guidance: GuidanceName | None = None
    """Loss that guides the explanation to the tumour (see `guidance.GUIDANCE`); None for no guidance."""
    guidance_weight: Annotated[float, Field(ge=0)] = 0.3
    """Weight of the guidance beside the classification loss (lambda)."""
    swap: bool = False
    """Swap backgrounds between patients."""
    learning_rate: Positive = 3e-3
    """Highest learning rate of the one-cycle schedule."""
    image_share: Share = 1.0
    """Factor on the image's logit at the start: a network trained on few patients is
    overconfident and outweighs the clinical variables."""
    image_rate: Share = 1.0
    """Learning rate of the image branch, as a share of `learning_rate`. A step whose rates are 0 trains nothing: it
    composes what it starts from."""
    clinical_rate: Share = 1.0
    """Learning rate of the clinical branch, as a share of `learning_rate`."""
    clinical_fit: bool = False
    """Start the clinical branch from its own fit on every row with a label."""
    clinical_dropout: Share = 0.0
    """Probability that a clinical variable is dropped, so that the network learns to do without it."""
    patience: Annotated[int, Field(ge=1)] | None = None
    """Epochs without a lower validation loss after which the step stops, with the weights of its best epoch; None to
    run all epochs. Needs `validation`."""

    def __post_init__(self) -> None:
        if self.guidance and GUIDANCE[self.guidance].needs_gate and not self.attention:
            raise ValueError(f"guidance {self.guidance!r} guides the gate, so attention must be true")


@dataclass(frozen=True)
class SplitConfig:
    """The division of the patients; a patient is always on one side.

    Raises:
        ValueError: if there are fewer than two folds, or no file is named to read them from.
    """

    __pydantic_config__ = _CONFIG

    kind: Literal["folds", "groups", "holdout", "given", "sites"] = "folds"
    """"folds" stratifies by label and `column`, "groups" leaves out whole values of `column` (sites, manufacturers),
    "holdout" leaves out one part of `share` once, "given" reads `file`, "sites" leaves out one of `sites` at a time."""
    folds: Annotated[int, Field(ge=0, le=1000)] = 5
    """Number of folds; for "groups" 0 leaves out one value at a time."""
    column: str = "site"
    """Column of the table; for "sites", if `sites` names none."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the patients that "holdout" leaves out."""
    file: str | None = None
    """CSV with `patient_id, fold`, or MAMA-MIA's with `train_split, test_split`."""

    def __post_init__(self) -> None:
        if self.kind == "folds" and self.folds < 2:
            raise ValueError("folds must be 2 or more")
        if self.kind == "given" and not self.file:
            raise ValueError("file must name the list when kind is 'given'")


@dataclass(frozen=True)
class TrainingConfig:
    """All settings of a run, except the data.

    Raises:
        ValueError: if there are no steps, two steps have one name, a step starts after one that does not come before
            it, or a step has a patience but no patients to validate on.
    """

    __pydantic_config__ = _CONFIG

    steps: tuple[Step, ...]
    """Steps in the order of training; the last one goes into the bundle."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of splits, initial weights, order and augmentation."""
    split: SplitConfig = SplitConfig()
    """Division of the patients."""
    sites: tuple[str, ...] = ()
    """Column that names the site of a patient, one per cohort in their order; "cohort" makes a cohort one site. Without
    any, each cohort is a site."""
    smallest_site: Annotated[int, Field(ge=2)] = 2
    """Patients of each class that a site needs; smaller ones are taken together."""
    balance: Literal["none", "site"] = "site"
    """Weight in training: "site" gives each site the same, see `balance`; "none" each patient."""
    grid: GridSpec = field(default_factory=GridSpec)
    """Window that the network reads."""
    network: NetworkName = "own"
    """Network behind the gate, see `backbones.trunks`: our own, or the first stages of one of MONAI's."""
    widths: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (16, 32, 64)
    """Channels of the stem and of the two stages of the network behind the gate."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the pooled image features dropped in training."""
    clinical_width: Annotated[int, Field(ge=0)] = 16
    """Hidden units of the clinical branch; 0 makes it a logistic regression."""
    clinical_penalty: Annotated[float, Field(ge=0)] = 0.0
    """L2 penalty on the weights of the clinical branch in its own fit (`Step.clinical_fit`)."""
    clinical: tuple[str | Category | Number, ...] = USUAL
    """Variables of the clinical branch: names in `schema.KNOWN` or whole definitions."""
    precision: Literal["mixed", "float32"] = "mixed"
    """Numbers of training: "mixed" computes features in bfloat16 if the grid allows it, which is faster, but rounds
    differently on different processors; with "float32", these train nearly the same network."""
    pretraining: Annotated[int, Field(ge=0, le=10000)] = 0
    """Epochs of self-supervised training before the first step, also on patients without a label."""
    updates: Annotated[int, Field(ge=0, le=100000)] = 0
    """Updates that the shortest step has at least: with few patients, all steps get as many times their epochs. 0 keeps
    the epochs as they are, and so does a file that gives steps of its own."""
    batch_size: Annotated[int, Field(ge=2)] = 16
    """Patients in a batch."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    """Weight decay of AdamW."""
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Standard deviation of the factor that augmentation puts on each channel."""
    timing: Share = 0.0
    """Augmentation of the times of early and late phase: up to this share of the way to the neighbouring phase."""
    gamma: Share = 0.0
    """Augmentation of the intensities by a power: standard deviation of its logarithm."""
    noise: Share = 0.0
    """Augmentation by noise in each phase: largest standard deviation, in units of the exam's scale."""
    resolution: Annotated[float, Field(ge=0, le=0.75)] = 0.0
    """Augmentation by coarser pixels: largest share of the resolution in plane that is lost."""
    orientation: Share = 0.0
    """Augmentation by exchanging rows and columns: its probability."""
    validation: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """Share of a fold's training patients that early stopping validates on; they are not trained on."""
    flips: tuple[tuple[Annotated[int, Field(ge=0, le=2)], ...], ...] = ((2,),)
    """Test-time flips beside the plain image, each a tuple of axes of (slices, rows, columns)."""

    def __post_init__(self) -> None:
        known: set[str] = set()
        for step in self.steps:
            if step.name in known:
                raise ValueError(f"steps must have different names, got {step.name!r} twice")
            if step.after is not None and step.after not in known:
                raise ValueError(f"step {step.name!r} starts after {step.after!r}, which must be an earlier step")
            if step.patience is not None and not self.validation:
                raise ValueError(f"step {step.name!r} has a patience, so validation must be above 0")
            known.add(step.name)
        if not self.steps:
            raise ValueError("steps must not be empty")

    def epochs_of(self, step: Step) -> int:
        """Return the epochs that a step trains: 0 if its rates leave nothing to train, so that it only composes."""
        before = next((other for other in self.steps if other.name == step.after), step)
        new_gate = step.attention and not before.attention
        trains = step.image_rate or new_gate or (step.clinical and step.clinical_rate)
        return step.epochs if trains else 0


def stepwise(epochs: int) -> tuple[Step, Step, Step]:
    """Return the three steps of the curriculum, `epochs` each.

    Source: Caragliano et al., arXiv 2605.07561; the background swap goes beyond it.
    """
    guided = Step("step2", epochs, after="step1", attention=True, guidance="mask cross-entropy", swap=True)
    fused = replace(
        guided,
        name="step3",
        after=guided.name,
        clinical=True,
        clinical_fit=True,
        image_rate=1 / 3,
        clinical_rate=1 / 3,
        clinical_dropout=0.2,
    )
    return Step("step1", epochs), guided, fused


UPDATES = 200  # of a step: 8 epochs of 25 batches, with which every seed of the prototype localised
PRESETS = {
    "quick": TrainingConfig(stepwise(4), split=SplitConfig(folds=3)),
    "full": TrainingConfig(stepwise(10), updates=UPDATES),
}
_ADAPTER = TypeAdapter(TrainingConfig)


def read_config(source: str | Path) -> TrainingConfig:
    """Return a preset by its name, or the configuration in a JSON file: any part of `config.json`; the rest is "full".

    Raises:
        DataError: if the file cannot be read, a setting is unknown or a value is out of range.
    """
    if str(source) in PRESETS:
        return PRESETS[str(source)]
    path = Path(source)
    try:
        text = read_content(path, JSON).decode("utf-8-sig")
    except OSError:
        raise DataError(f"{path}: no such configuration; give a JSON file or one of {', '.join(PRESETS)}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: must be UTF-8 ({error}); save it as UTF-8 again") from None
    except ValueError as error:
        raise DataError(f"{path}: must be a configuration ({error}); check the file") from None
    return parse_config(text, str(path))


def parse_config(text: str, name: str) -> TrainingConfig:
    """Return the configuration in a JSON text; `name` is its source in errors.

    Raises:
        DataError: if it is not a JSON object, a setting is unknown or a value is out of range.
    """
    try:
        given = parse_json(text)
    except ValueError as error:
        raise DataError(f"{name}: must be JSON ({error}); see config.json of any run") from None
    if not isinstance(given, dict):
        raise DataError(f"{name}: must be a JSON object; see config.json of any run")
    try:
        kept = {"updates": 0} if "steps" in given else {}  # epochs that somebody has chosen
        return _ADAPTER.validate_json(json.dumps({**config_to_json(PRESETS["full"]), **kept, **given}))
    except ValidationError as error:
        raise DataError(f"{name}: {_in_words(error)}; see config.json of any run") from None


def config_to_json(config: TrainingConfig) -> dict[str, object]:
    """Return plain values for `config.json`."""
    return _ADAPTER.dump_python(config, mode="json")


def _in_words(error: ValidationError) -> str:
    """Return the first error as a sentence."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function"))
    if first["type"] == "unexpected_keyword_argument":
        return f"{place} is not a known setting; use one of {', '.join(sorted(_known(place)))}"
    message = first["msg"].removeprefix("Value error, ").replace("Input should", f"{place} must", 1)
    if place and place not in message:
        message = f"{place}: {message}"
    value = first["input"]
    return message + (f", got {value!r}" if isinstance(value, (str, int, float)) else "")


def _known(place: str) -> list[str]:
    """Return the settings that are known in the place of an unknown one."""
    owner: Any = {"steps": Step, "split": SplitConfig, "grid": GridSpec}.get(place.split(".")[0])
    return [part.name for part in fields(owner if owner and "." in place else TrainingConfig)]
