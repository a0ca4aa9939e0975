"""The training loop: one step of the curriculum on one fold, from files to files; it can be resumed after every epoch.

Sources: AdamW, Loshchilov and Hutter, ICLR 2019; one cycle of the learning rate, Smith and Topin, 2019.
"""

import hashlib
import io
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PCRPredictorLib.backbones.names import OWN
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.writing import whole_file, write_whole_csv
from safetensors.torch import save
from torch import Tensor, nn

from ..cohort.cache import GridCache
from ..config import Step, TrainingConfig
from ..guidance import GUIDANCE
from ..run_files import refusing_damage
from ..run_folder import StepFolder
from ..statistics.metrics import auc
from .augmentation import drop_variables, random_contrast, random_flips, swap_background, vary_acquisition
from .balance import class_weights, draw_epoch
from .explanation import explain, share_in_tumour
from .inference import score
from .kept import again
from .objective import classification_loss, fit_clinical

HISTORY_COLUMNS = ("epoch", "loss", "attention_in_tumour", "validation_loss", "validation_auc", "seconds")
_LARGEST_GRADIENT = 100.0  # a sound step never reaches it; a gradient that is not finite stops the training
Weights = Mapping[str, Tensor]
Report = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True, eq=False)
class Fold:
    """The data of one fold.

    Args:
        number: of the fold.
        cache: of all patients.
        clinical: (rows, schema width), vectors of all patients, then of their other tumours.
        schema: of the clinical vectors.
        train: (n,), positions of the patients to train on, and of their other tumours.
        validation: (n,), positions of the patients that early stopping validates on; may be empty.
        held_out: (n,), positions of the fold's own patients, which training never uses.
        rows: clinical vectors, (n, schema width), labels and codes of the sites, to fit the clinical branch on; none of
            the held-out patients.
        sites: (N,), code of each patient's site, all the same if sites have no weight of their own.
    """

    number: int
    cache: GridCache
    clinical: Tensor
    schema: ClinicalSchema
    train: np.ndarray
    validation: np.ndarray
    held_out: np.ndarray
    rows: tuple[Tensor, Tensor, np.ndarray]
    sites: np.ndarray


def train_step(
    step: Step, config: TrainingConfig, fold: Fold, start: Weights, folder: StepFolder, device: str, report: Report
) -> None:
    """Train one step and write `weights.safetensors` and `history.csv` into `folder`, unless it is trained already.

    A step whose rates are 0 has nothing to train: its weights are those that it starts from, and its history is empty.

    Args:
        start: weights of the previous step; empty to start from random weights.
        report: called with the epoch and its history row after every epoch.

    Raises:
        DataError: if a file cannot be written; finished epochs are kept.
    """
    if folder.weights.is_file():
        return
    folder.path.mkdir(parents=True, exist_ok=True)
    network = build_network(step, config, fold, start).channels_last().to(device)
    if not config.epochs_of(step):
        _write_history(folder.history, [])
        _write_weights(folder, network.state_dict())
        return
    batches = max(len(fold.train) // config.batch_size, 1)
    rates = [step.learning_rate * share for share in (1.0, step.image_rate, step.clinical_rate)]
    optimizer = torch.optim.AdamW(parameter_groups(network, rates, start), weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=step.epochs * batches
    )
    history, best = _resume(folder, network, optimizer, schedule, device)
    for epoch in range(len(history), step.epochs):
        if step.patience is not None and history and _since_best(history) >= step.patience:
            break
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(draw_seed(config.seed, fold.number, step.name, epoch))
        torch.manual_seed(generator.initial_seed())  # for dropout
        trained = train_epoch(network, optimizer, schedule, step, config, fold, generator, batches, device)
        row = {"epoch": float(epoch), **trained, **_validate(network, fold, device)}
        row["seconds"] = time.perf_counter() - started
        history.append(row)
        if step.patience is None or _since_best(history) == 0:
            best = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        with whole_file(folder.checkpoint) as part:
            states = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "best": best}
            _save({**states, "schedule": schedule.state_dict(), "history": history}, part)
        _write_history(folder.history, history)
        report(epoch, row)
    _write_weights(folder, best)
    folder.checkpoint.unlink()


def train_epoch(
    network: PCRNet,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    step: Step,
    config: TrainingConfig,
    fold: Fold,
    generator: torch.Generator,
    batches: int,
    device: str,
) -> dict[str, float]:
    """Train one epoch; return its mean loss and the share of the attention inside the tumour, nan without attention."""
    network.train()
    freeze_norms(network)
    labels = torch.from_numpy(fold.cache.labels[fold.cache.owners]).float()
    sites = fold.sites[fold.cache.owners[fold.train]]
    of_class, beside = class_weights(labels[torch.from_numpy(fold.train)], sites)
    guidance = GUIDANCE[step.guidance] if step.guidance else None
    losses, shares = [], []
    for part in draw_epoch(sites, generator).tensor_split(batches):
        chosen = fold.train[part.numpy()]
        image, mask = fold.cache.image_and_mask(chosen)
        clinical = drop_variables(
            fold.clinical[torch.from_numpy(chosen)], fold.schema, step.clinical_dropout, generator
        )
        if step.swap:
            image = swap_background(image, mask, generator)
        image, mask = random_flips(image, mask, generator)
        image = random_contrast(image, generator, config.contrast)
        image, mask = vary_acquisition(image, mask, config, generator)
        image = image.to(device).contiguous(memory_format=torch.channels_last_3d)
        image.requires_grad_(guidance is not None and guidance.needs_image_gradient)
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=uses_bfloat16(config)):
            output = network(image, clinical.to(device))
        weights = of_class[part].to(device), beside[part].to(device)
        loss = classification_loss(output.logit, labels[torch.from_numpy(chosen)].to(device), *weights)
        if guidance is not None:
            loss = loss + step.guidance_weight * guidance.loss(explain(output, image, mask.to(device)))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT, error_if_nonfinite=True)
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
        if output.log_attention is not None:
            shares.append(share_in_tumour(output.log_attention.detach(), mask.to(device)))
    attention = float(torch.cat(shares).mean()) if shares else math.nan
    return {"loss": float(torch.stack(losses).mean()), "attention_in_tumour": attention}


def uses_bfloat16(config: TrainingConfig) -> bool:
    """Return True if a run computes features in bfloat16."""
    return config.precision == "mixed" and allows_bfloat16(config.grid)


def allows_bfloat16(grid: GridSpec) -> bool:
    """Return True if the deepest map is 4 x 8 x 8 or more: on some CPUs, gradients of smaller ones are not finite."""
    return grid.slices > 6 and grid.size >= 32


def freeze_norms(network: PCRNet) -> None:
    """Freeze the running statistics of batch norms in branches with a rate of 0: they change without gradients."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d) and not any(p.requires_grad for p in module.parameters()):
            module.eval()


def build_network(step: Step, config: TrainingConfig, fold: Fold, start: Weights) -> PCRNet:
    """Return the step's network, with random weights or those of the previous step."""
    torch.manual_seed(draw_seed(config.seed, fold.number, step.name, -1))
    network = PCRNet(**network_arguments(step, config, fold.schema), dropout=config.dropout)
    if step.clinical_fit and network.clinical is not None:
        fit_clinical(network.clinical, *fold.rows, fold.schema, step.clinical_dropout, config.clinical_penalty)
    network.warm_start(start)
    with torch.no_grad():
        for parameter in network.head.parameters() if start else ():
            parameter.mul_(step.image_share)
    return network


def network_arguments(step: Step, config: TrainingConfig, schema: ClinicalSchema) -> dict[str, Any]:
    """Return the arguments of `PCRNet` for a step, as a bundle keeps them."""
    return {
        "widths": list(config.widths),
        "attention": step.attention,
        "clinical_inputs": schema.width if step.clinical else 0,
        "clinical_width": config.clinical_width,
        **({} if config.network == OWN else {"backbone": config.network}),
    }


def parameter_groups(network: PCRNet, rates: list[float], start: Weights) -> list[dict]:
    """Return the optimiser's groups: new branches at the full rate, image and clinical branch at their own.

    Args:
        rates: of new branches, of the image branch, of the clinical branch.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        rate = rates[2] if name.startswith("clinical") else rates[1] if name in start or not start else rates[0]
        if rate:
            groups.setdefault(rate, []).append(parameter)
        else:
            parameter.requires_grad_(False)
    return [{"params": parameters, "lr": rate} for rate, parameters in groups.items()]


def _validate(network: PCRNet, fold: Fold, device: str) -> dict[str, float]:
    """Return classification loss and AUC of the validation patients; nan if there are none."""
    if not len(fold.validation):
        return dict.fromkeys(("validation_loss", "validation_auc"), math.nan)
    found = score(network, fold.cache, fold.clinical, fold.validation, (), device)
    label = fold.cache.labels[fold.validation]
    positive_weight = torch.tensor((1 - label.mean()) / label.mean())
    loss = classification_loss(torch.from_numpy(found.logit), torch.from_numpy(label).float(), positive_weight)
    return {"validation_loss": float(loss), "validation_auc": auc(found.logit, label)}


def _since_best(history: list[dict[str, float]]) -> int:
    """Return the number of epochs since the lowest validation loss."""
    losses = [row["validation_loss"] for row in history]
    return len(losses) - 1 - int(np.argmin(losses))


def _resume(
    folder: StepFolder,
    network: PCRNet,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    device: str,
) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    """Restore network, optimiser and schedule after the last epoch; return history and best weights until then."""
    if not folder.checkpoint.is_file():
        return [], {}
    with refusing_damage(folder.checkpoint, again(folder.checkpoint)):
        states = torch.load(folder.checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(states["network"])
        optimizer.load_state_dict(states["optimizer"])
        schedule.load_state_dict(states["schedule"])
        return list(states["history"]), dict(states["best"])


def _save(states: Mapping[str, object], path: Path) -> None:
    """Serialise in memory first: torch.save to a file hides a full disk."""
    content = io.BytesIO()
    torch.save(states, content)
    path.write_bytes(content.getbuffer())


def _write_weights(folder: StepFolder, weights: Weights) -> None:
    with whole_file(folder.weights) as part:
        part.write_bytes(save({name: tensor.cpu().contiguous() for name, tensor in weights.items()}))


def _write_history(path: Path, history: list[dict[str, float]]) -> None:
    """Write one row per epoch; a value that was not measured is empty."""
    values = ([row[name] for name in HISTORY_COLUMNS] for row in history)
    write_whole_csv(HISTORY_COLUMNS, (["" if math.isnan(x) else f"{x:.6g}" for x in row] for row in values), path)


def draw_seed(*parts: object) -> int:
    """Return a seed for every seed, fold, step and epoch, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=4).digest(), "little")
