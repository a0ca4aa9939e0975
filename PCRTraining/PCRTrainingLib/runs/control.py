"""The fair control of a stepwise curriculum: the same model without guidance, so that the difference is guidance's."""

from collections.abc import Sequence
from dataclasses import replace

from PCRPredictorLib.errors import DataError

from ..config import Step, TrainingConfig

IMAGE, CONTROL = "single_image", "fair_control"  # names of its two steps
CONTROL_ROW = "fair control"  # its row in every table


def control_steps(steps: Sequence[Step]) -> tuple[Step, Step]:
    """Return the two steps of the fair control of a curriculum, whose result is that of the last step.

    An unguided image network is trained as long as all steps before the last one. Then it is fused as in the last step,
    with the same clinical fit, rows, share of the image and learning rates. Neither has attention, guidance or swap.

    Raises:
        DataError: if the last step does not fuse clinical variables with an image network that was trained before it.
    """
    by_name, last = {step.name: step for step in steps}, steps[-1]
    before: list[Step] = []
    while (before or [last])[0].after is not None:
        before.insert(0, by_name[str((before or [last])[0].after)])
    if not last.clinical or not before:
        raise DataError(
            "a fair control needs a last step that fuses clinical variables after an image step, got "
            f"{last.name!r}; give it clinical and after"
        )
    image = replace(before[0], name=IMAGE, epochs=sum(step.epochs for step in before))
    return _unguided(image), _unguided(replace(last, name=CONTROL, after=IMAGE))


def _unguided(step: Step) -> Step:
    return replace(step, attention=False, guidance=None, swap=False)


def control_config(config: TrainingConfig) -> TrainingConfig | None:
    """Return the configuration that trains the fair control alone; None if the curriculum has none."""
    try:
        return replace(config, steps=control_steps(config.steps))
    except DataError:
        return None
