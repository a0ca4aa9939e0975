"""Self-supervised training of stem and trunk before step 1: they fill in the parts of a window that are hidden.

No label is read: patients without one count, too. Blocks of a window are hidden at random. From what is left, the
trunk's features predict the mean of every hidden cell, by one linear layer, which is then thrown away.

Source: masked image modelling with a linear decoder, Xie et al. (SimMIM), CVPR 2022.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.writing import whole_file, write_whole_csv
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from ..cohort.cache import GridCache
from ..cohort.sites import Sites
from ..config import TrainingConfig
from ..progress import Progress
from ..run_folder import FoldFolder
from .augmentation import random_contrast, random_flips, vary_acquisition
from .kept import read_weights

_HIDDEN = 0.6  # of the blocks
_BLOCK = (2, 8, 8)  # slices, rows and columns of the window
_KEPT = ("stem.", "trunk.")


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of patients of several caches, whose labels are not read.

    Args:
        parts: caches, and the positions, (n,), that count of each.
    """

    parts: Sequence[tuple[GridCache, np.ndarray]]

    def __len__(self) -> int:
        return sum(len(positions) for _, positions in self.parts)

    def read(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return image (B, 3, slices, rows, columns) and mask (B, 1, ...) of the windows at `chosen`, (B,)."""
        found, first = [], 0
        for cache, positions in self.parts:
            inside = chosen[(chosen >= first) & (chosen < first + len(positions))] - first
            if len(inside):
                found.append(cache.image_and_mask(positions[inside]))
            first += len(positions)
        images, masks = zip(*found, strict=True)
        return torch.cat(images), torch.cat(masks)


def choose_windows(
    cache: GridCache, train: np.ndarray, unlabelled: Sequence[GridCache], sites: Sites | None
) -> Windows:
    """Return what a fold pretrains on: its training patients, and those without a label of sites that it trains on.

    Args:
        train: (n,) positions in `cache` of the training patients and of their other tumours.
        unlabelled: caches of patients without a label.
        sites: of the patients in `cache`; None if they are all of one.
    """
    parts = [(cache, train)]
    trained = set() if sites is None else set(sites.names[cache.owners[train]].tolist())
    for each in unlabelled:
        used = [sites is None or sites.of_row(record.cohort, record.row) in trained for record in each.records]
        parts.append((each, np.flatnonzero(used)))
    return Windows(parts)


def pretrained(
    config: TrainingConfig,
    windows: Windows,
    number: int,
    start: Mapping[str, Tensor],
    folder: FoldFolder,
    device: str,
    progress: Progress,
) -> dict[str, Tensor]:
    """Return the weights of stem and trunk that step 1 starts from: trained, or read if they are there already.

    Args:
        number: of the fold.
        start: weights to begin with, of any form of the network; empty for random ones.
        folder: of the fold; gets `pretrained.safetensors` and `pretraining.csv`.
    Raises:
        DataError: if a file cannot be written.
    """
    if not folder.pretrained.is_file():
        folder.path.mkdir(parents=True, exist_ok=True)
        weights, losses = pretrain(config, windows, number, start, device, progress)
        write_whole_csv(["epoch", "loss"], ([k, f"{loss:.6g}"] for k, loss in enumerate(losses)), folder.pretraining)
        _write_weights(weights, folder.pretrained)
    else:
        progress.advance(units=config.pretraining)
    return read_weights(folder.pretrained)


def pretrain(
    config: TrainingConfig, windows: Windows, number: int, start: Mapping[str, Tensor], device: str, progress: Progress
) -> tuple[dict[str, Tensor], list[float]]:
    """Train stem and trunk; return their weights and the loss of every epoch.

    Args:
        number: of the fold, for the seed.
        start: see `pretrained`.
    """
    generator = torch.Generator().manual_seed(1000 * config.seed + number)
    torch.manual_seed(generator.initial_seed())
    network = PCRNet(widths=config.widths, backbone=config.network).channels_last().to(device).train()
    network.load_state_dict({name: weights for name, weights in start.items() if name.startswith(_KEPT)}, strict=False)
    decoder = nn.Conv3d(network.head.in_features, network.arguments["in_channels"], 1).to(device)
    learned = [*network.stem.parameters(), *network.trunk.parameters(), *decoder.parameters()]
    batches, rate = max(len(windows) // config.batch_size, 1), config.steps[0].learning_rate
    optimizer = torch.optim.AdamW(learned, rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=config.pretraining * batches)
    losses = []
    for epoch in range(config.pretraining):
        found = []
        for part in torch.randperm(len(windows), generator=generator).tensor_split(batches):
            image, mask = random_flips(*windows.read(part.numpy()), generator)
            image = random_contrast(image, generator, config.contrast)
            image, _ = vary_acquisition(image, mask, config, generator)
            loss = reconstruction_loss(network, decoder, image.to(device), generator)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            found.append(float(loss.detach()))
        losses.append(float(np.mean(found)))
        progress.advance(f"fold {number}, pretraining, epoch {epoch + 1}, loss {losses[-1]:.3f}")
    return {name: tensor for name, tensor in network.state_dict().items() if name.startswith(_KEPT)}, losses


def reconstruction_loss(network: PCRNet, decoder: nn.Module, image: Tensor, generator: torch.Generator) -> Tensor:
    """Return the mean absolute error of the hidden cells, a scalar.

    Args:
        decoder: from the trunk's features to the image's channels.
        image: (B, channels, slices, rows, columns).
    """
    hidden = hide_blocks(image, generator)
    image = image.contiguous(memory_format=torch.channels_last_3d)
    predicted = decoder(network.trunk(network.stem(image * (1 - hidden))))
    cells, weights = (functional.adaptive_avg_pool3d(x, predicted.shape[2:]) for x in (image, hidden))
    return ((predicted - cells).abs() * weights).sum() / (weights.sum() * image.shape[1]).clamp_min(1)


def hide_blocks(image: Tensor, generator: torch.Generator) -> Tensor:
    """Return 1 where a window is hidden, (B, 1, slices, rows, columns): blocks of 2 x 8 x 8 voxels, 60 % of them."""
    blocks = [max(size // block, 1) for size, block in zip(image.shape[2:], _BLOCK, strict=True)]
    hidden = (torch.rand((len(image), 1, *blocks), generator=generator) < _HIDDEN).float()
    return functional.interpolate(hidden, image.shape[2:], mode="nearest").to(image)


def _write_weights(weights: dict[str, Tensor], file: Path) -> None:
    with whole_file(file) as part:
        part.write_bytes(save({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}))
