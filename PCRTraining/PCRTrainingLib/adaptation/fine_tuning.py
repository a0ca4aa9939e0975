"""Fine-tuning: a run whose steps start from the networks of a bundle, on its grid and with its variables.

Fold k starts from the bundle's fold k; with fewer folds in the bundle, from k modulo their number. The bundle is copied
into the run folder, so that the run explains itself and can be resumed without it.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PCRPredictorLib.backbones.names import OWN
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.model.bundle import Bundle, load_bundle
from PCRPredictorLib.model.card import ModelCard
from PCRPredictorLib.writing import whole_folder

from ..cohort.cache import GridCache
from ..cohort.shared import refuse_shared
from ..config import PRESETS, Step, TrainingConfig
from ..progress import Progress
from ..run_folder import RunFolder

FINE_TUNED = "fine-tuned"
RATE = 0.1  # of the learning rate of the curriculum's last step
_NETWORK = {"widths": "widths", "clinical_width": "clinical_width", "network": "backbone"}  # setting to argument


def fine_tuned_config(config: TrainingConfig, bundle: Bundle) -> TrainingConfig:
    """Return the configuration of a run that starts from a bundle: grid, network, variables and flips are the bundle's.

    The curriculum becomes one step with the form of the bundle, which is its last step at a tenth of the rate; steps of
    other names are kept.

    Args:
        config: as given; grid and network may be those of the bundle or the defaults.

    Raises:
        DataError: if grid, network or a step's form are different from the bundle's.
    """
    full, arguments = PRESETS["full"], bundle.settings.network
    found = {
        setting: arguments.get(argument, OWN if setting == "network" else getattr(full, setting))
        for setting, argument in _NETWORK.items()
    }
    found["widths"] = tuple(found["widths"])  # type: ignore[arg-type]
    wanted = {**found, "grid": bundle.settings.grid}
    for setting, value in wanted.items():
        given = getattr(config, setting)
        if given not in (value, getattr(full, setting)):
            raise DataError(
                f"{setting} must be that of the bundle to start from it, {value}, got {given}; leave it out, or train "
                "without --from"
            )
    steps = config.steps
    if [step.name for step in steps] == [step.name for step in full.steps]:
        steps = (_fine_tuning_step(steps[-1], bundle),)
    for step in steps:
        if not step.after:
            _check_form(step, bundle)
    flips = bundle.settings.flips
    more = {"steps": steps, "clinical": bundle.schema.variables, "flips": flips}
    return replace(config, **wanted, **more, updates=0)  # type: ignore[arg-type]


def _fine_tuning_step(last: Step, bundle: Bundle) -> Step:
    """Return the step that trains a whole bundle further."""
    attention, clinical = _form(bundle)
    return replace(
        last,
        name=FINE_TUNED,
        after=None,
        attention=attention,
        clinical=clinical,
        clinical_fit=False,
        guidance=last.guidance if attention else None,
        learning_rate=RATE * last.learning_rate,
        image_rate=1.0,
        clinical_rate=1.0,
    )


def _form(bundle: Bundle) -> tuple[bool, bool]:
    arguments = bundle.settings.network
    return bool(arguments.get("attention")), bool(arguments.get("clinical_inputs"))


def _check_form(step: Step, bundle: Bundle) -> None:
    """Refuse a step that starts from the bundle and is of a different form."""
    form = _form(bundle)
    if (step.attention, step.clinical) != form:
        words = [f"attention {str(form[0]).lower()} and clinical {str(form[1]).lower()}"]
        words.append(f"{str(step.attention).lower()} and {str(step.clinical).lower()}")
        raise DataError(f"step {step.name!r} starts from the bundle and must have {words[0]} as it, got {words[1]}")
    if step.clinical_fit:
        raise DataError(
            f"step {step.name!r} starts from the bundle, whose clinical branch its own fit would replace; set "
            "clinical_fit to false"
        )


def keep_start(folder: RunFolder, bundle: Bundle) -> None:
    """Copy the bundle into a run folder, whole or not at all.

    Raises:
        DataError: if it cannot be written.
    """
    with whole_folder(folder.base) as staging:
        shutil.copytree(bundle.path, staging, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))


def read_start(folder: RunFolder) -> Bundle | None:
    """Return the bundle that a run starts from, None if it starts from random weights.

    Raises:
        DataError: if it is damaged.
    """
    return load_bundle(folder.base) if folder.base.is_dir() else None


def check_start(bundle: Bundle, cache: GridCache, cohorts: Sequence[Path], progress: Progress) -> None:
    """Refuse patients that the bundle was trained on; report variables that no patient has.

    Raises:
        DataError: if there are any.
    """
    refuse_shared(cache, Path(" + ".join(map(str, cohorts))), *bundle.training_hashes)
    absent = [v.name for v in bundle.schema.asked if not any(cache.column(v.name.lower()))]
    if absent:
        progress.say(f"no patient has a value of {', '.join(absent)}, which the bundle knows; it counts as unknown")
    if not bundle.training_hashes[0]:
        progress.say(
            f"{bundle.card.name} does not say which patients it was trained on: make sure that none of them is here"
        )


def schema_of(bundle: Bundle | None) -> ClinicalSchema | None:
    """Return the variables of a bundle, as they are scaled there."""
    return None if bundle is None else bundle.schema


def describe_start(card: ModelCard, bundle: Bundle) -> ModelCard:
    """Return the card of a fine-tuned model: it says what it started from."""
    base, folds = bundle.card, count(len(bundle.folds), "fold")
    return replace(
        card,
        description=f"Fine-tuned from {base.name} {base.version} ({folds}; fold k from its fold k, in turn). "
        f"{card.description}",
        training_data=f"{card.training_data} Before that, {base.name} was trained on: {base.training_data}",
        known_limits=f"{card.known_limits} Limits of {base.name}: {base.known_limits}",
        changelog={**base.changelog, card.version: f"fine-tuned from {base.name} {base.version}"},
    )
