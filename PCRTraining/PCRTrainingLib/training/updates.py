"""Steps of a small cohort: as many updates as the method needs, not as many epochs.

A step of few patients has few batches per epoch, and its attention does not leave chance before it has about 200
updates: those with which every seed localised in the prototype, 8 epochs of 25 batches. Ours.
"""

from dataclasses import replace

from ..config import TrainingConfig
from .folds import Prepared


def lengthen(config: TrainingConfig, data: Prepared) -> TrainingConfig:
    """Return the configuration with as many times the epochs as its shortest step needs for `config.updates` updates.

    All steps are lengthened alike, so that baselines stay as long as what they are compared with. Large cohorts, and
    configurations without `updates`, keep their epochs.

    Args:
        data: with its folds.
    """
    fewest = min((len(data.sides(number, config)[0]) for number in data.fold_numbers), default=0)
    return lengthen_for(config, fewest)


def lengthen_for(config: TrainingConfig, patients: int) -> TrainingConfig:
    """Return `lengthen` for a number of training patients of a fold."""
    shortest = min((n for step in config.steps if (n := config.epochs_of(step))), default=0)
    if not shortest or not config.updates:
        return config
    times = -(-config.updates // (shortest * batches_of(config, patients)))
    if times < 2:
        return config
    most = 10000  # epochs that a step may have
    return replace(config, steps=tuple(replace(step, epochs=min(step.epochs * times, most)) for step in config.steps))


def batches_of(config: TrainingConfig, patients: int) -> int:
    """Return the updates of an epoch."""
    return max(patients // config.batch_size, 1)


def describe_lengthening(before: TrainingConfig, after: TrainingConfig) -> str:
    """Return a sentence about steps that were lengthened; empty if none was."""
    pairs = [(old.epochs, new.epochs) for old, new in zip(before.steps, after.steps, strict=True)]
    if all(old == new for old, new in pairs):
        return ""
    old, new = pairs[0]
    return (
        f"a small cohort: each step has {new} epochs instead of {old}, for at least {after.updates} updates; "
        '"updates": 0 in a configuration keeps its epochs'
    )
