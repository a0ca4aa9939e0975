"""The stepwise curriculum: global image patterns, then attention held to the tumour, then clinical variables.

Source: Caragliano et al., arXiv 2605.07561. Each step starts from the weights of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.network import PCRNet
from torch import Tensor

from .augmentation import random_contrast, random_flips, swap_background
from .grids import Grids
from .losses import classification_loss, mask_cross_entropy

# Never reached by a sound step. A gradient that is not finite stops the training: on some CPUs bfloat16 gradients of
# very small feature maps (below 4 x 8 x 8) are not.
_LARGEST_GRADIENT = 100.0


@dataclass(frozen=True)
class Step:
    """One step of the curriculum.

    Args:
        attention: whether the network has its gate, trained with the guidance loss.
        clinical: whether the clinical branch is fused.
        guidance: weight of the guidance loss (lambda).
        swap: whether backgrounds are swapped.
        image_rate: learning rate of the image branch, as a share of `learning_rate`.
        clinical_dropout: probability that a variable is taken away, so that a missing one is handled.
    """

    epochs: int
    learning_rate: float = 3e-3
    attention: bool = False
    clinical: bool = False
    guidance: float = 0.0
    swap: bool = False
    image_rate: float = 1.0
    clinical_dropout: float = 0.0


def stepwise(epochs: int) -> tuple[Step, Step, Step]:
    """The three steps with the weights that the method page gives, `epochs` each."""
    return (
        Step(epochs),
        Step(epochs, attention=True, guidance=0.3, swap=True),
        Step(epochs, attention=True, clinical=True, guidance=0.3, swap=True, image_rate=1 / 3, clinical_dropout=0.2),
    )


def train_curriculum(steps: tuple[Step, ...], grids: Grids, schema: ClinicalSchema, seed: int) -> PCRNet:
    """Train the steps one after the other and return the last network.

    Args:
        grids: training patients.
        schema: of the clinical vector, to drop whole variables.
        seed: of initial weights, order and augmentation.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    for step in steps:
        network = PCRNet(attention=step.attention, clinical_inputs=schema.width if step.clinical else 0)
        network.warm_start(weights)
        train_step(network.channels_last(), step, grids, schema, generator)
        weights = network.state_dict()
    return network.eval()


def train_step(
    network: PCRNet, step: Step, grids: Grids, schema: ClinicalSchema, generator: torch.Generator, batch_size: int = 16
) -> None:
    """The training loop of one step, in place."""
    batches = -(-len(grids) // batch_size)
    rates = [step.learning_rate, step.learning_rate * step.image_rate]
    optimizer = torch.optim.AdamW(_parameter_groups(network, rates), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=step.epochs * batches)
    positives = grids.labels.mean()
    positive_weight = (1 - positives) / positives
    for _ in range(step.epochs):
        network.train()
        for chosen in torch.randperm(len(grids), generator=generator).tensor_split(batches):
            image, mask, label = grids.images[chosen], grids.masks[chosen], grids.labels[chosen]
            clinical = drop_variables(grids.clinical[chosen], schema, step.clinical_dropout, generator)
            if step.swap:
                image = swap_background(image, mask, generator)
            image, mask = random_flips(image, mask, generator)
            image = random_contrast(image, generator).contiguous(memory_format=torch.channels_last_3d)
            with torch.autocast("cpu", torch.bfloat16):
                output = network(image, clinical)
            loss = classification_loss(output.logit, label, positive_weight)
            if output.log_attention is not None:
                loss = loss + step.guidance * mask_cross_entropy(output.log_attention, mask)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT, error_if_nonfinite=True)
            optimizer.step()
            schedule.step()


def drop_variables(clinical: Tensor, schema: ClinicalSchema, probability: float, generator: torch.Generator) -> Tensor:
    """Make each variable of each patient missing with a probability: all its numbers become 0.

    Args:
        clinical: (B, schema width).
    """
    widths = torch.tensor([variable.width for variable in schema.variables])
    kept = torch.rand((len(clinical), len(widths)), generator=generator) >= probability
    return clinical * kept.repeat_interleave(widths, 1)


def _parameter_groups(network: PCRNet, rates: list[float]) -> list[dict]:
    """New branches at the full rate, the image branch at its own."""
    new = [] if network.clinical is None else list(network.clinical.parameters())
    image = [parameter for name, parameter in network.named_parameters() if not name.startswith("clinical")]
    return [{"params": new, "lr": rates[0]}, {"params": image, "lr": rates[1]}]
