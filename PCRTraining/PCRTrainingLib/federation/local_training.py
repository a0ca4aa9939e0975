"""One round at one site: the epochs of a step that lie between two averages.

Optimiser state stays at the site, and the learning rate goes on where the last round ended, so that a federation of one
site takes the same course as a run of its own.

Sources: FedAvg, McMahan et al., AISTATS 2017; FedProx, Li et al., MLSys 2020.
"""

import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.writing import whole_file
from torch import Tensor

from ..config import Step, TrainingConfig
from ..training.loop import (
    Fold,
    Weights,
    build_network,
    draw_seed,
    network_arguments,
    parameter_groups,
    train_epoch,
)

Schedule = torch.optim.lr_scheduler.OneCycleLR


def start_weights(step: Step, config: TrainingConfig, fold: Fold, before: Weights) -> dict[str, Tensor]:
    """Return the network that a step begins with: of the step before, with new branches, fitted at this site."""
    return _plain(build_network(step, config, fold, before).state_dict())


def epochs_of_round(epochs: int, rounds: int, number: int) -> range:
    """Return the epochs, from 0, of a round; all rounds have the same number of them, or one more."""
    return range(epochs * number // rounds, epochs * (number + 1) // rounds)


def train_round(
    step: Step,
    config: TrainingConfig,
    fold: Fold,
    weights: Weights,
    epochs: range,
    kept: Path,
    device: str = "cpu",
    proximal: float = 0.0,
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Train some epochs of a step from the weights of all sites.

    Args:
        weights: of the whole network.
        epochs: see `epochs_of_round`.
        kept: file of the optimiser's state, of this site and configuration alone; made if it is missing.
        proximal: weight of the distance to `weights` (FedProx); 0 for none.

    Returns:
        Weights, and the mean loss and attention inside the tumour of the last epoch.

    Raises:
        RuntimeError: if a gradient is not finite.
    """
    network = PCRNet(**network_arguments(step, config, fold.schema), dropout=config.dropout)
    network.load_state_dict(dict(weights))
    network = network.channels_last().to(device)
    batches = max(len(fold.train) // config.batch_size, 1)
    rates = [step.learning_rate * share for share in (1.0, step.image_rate, step.clinical_rate)]
    groups = parameter_groups(network, rates, _names_before(step, config, fold))
    optimizer = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
    schedule = _schedule(optimizer, step.epochs * batches, epochs.start * batches)
    _restore(optimizer, kept, epochs.start, device)
    if proximal:
        optimizer.register_step_pre_hook(_pull(optimizer, proximal))
    row: dict[str, float] = {}
    for epoch in epochs:
        generator = torch.Generator().manual_seed(draw_seed(config.seed, fold.number, step.name, epoch))
        torch.manual_seed(generator.initial_seed())  # for dropout
        row = train_epoch(network, optimizer, schedule, step, config, fold, generator, batches, device)
    content = io.BytesIO()
    torch.save({"state": optimizer.state_dict()["state"], "epochs": epochs.stop}, content)
    with whole_file(kept) as part:
        part.write_bytes(content.getbuffer())
    return _plain(network.state_dict()), row


def _names_before(step: Step, config: TrainingConfig, fold: Fold) -> Weights:
    """Return the tensors that the step before had, by name, without values; empty for the first step."""
    before = next((other for other in config.steps if other.name == step.after), None)
    if before is None:
        return {}
    with torch.device("meta"):
        return PCRNet(**network_arguments(before, config, fold.schema)).state_dict()


def _schedule(optimizer: torch.optim.Optimizer, total: int, done: int) -> Schedule:
    """Return the one-cycle schedule of the whole step, `done` updates in."""
    schedule = Schedule(optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=total)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # no update comes before: those were of earlier rounds
        for _ in range(done):
            schedule.step()
    return schedule


def _restore(optimizer: torch.optim.Optimizer, kept: Path, epoch: int, device: str) -> None:
    """Give the optimiser the moments that this site had at the end of its last round before an epoch, if it had one."""
    if kept.is_file():
        found = torch.load(kept, map_location=device, weights_only=True)
        if found["epochs"] <= epoch:  # not of a later round, of a run that is repeated
            optimizer.load_state_dict({"state": found["state"], "param_groups": optimizer.state_dict()["param_groups"]})


def _pull(optimizer: torch.optim.Optimizer, proximal: float) -> Callable:
    """Return a hook that adds the gradient of proximal / 2 |w - w of all sites|^2 before each update."""
    pairs = [(p, p.detach().clone()) for group in optimizer.param_groups for p in group["params"]]

    def add(*_: object) -> None:
        for parameter, anchor in pairs:
            if parameter.grad is not None:
                parameter.grad.add_(parameter.detach() - anchor, alpha=proximal)

    return add


def _plain(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights.items()}
