"""The loss of a batch, and the fit of the clinical branch alone."""

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from torch import Tensor, nn
from torch.nn import functional

from .augmentation import drop_variables
from .balance import class_weights, row_weights


def classification_loss(logit: Tensor, label: Tensor, positive_weight: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the class-balanced binary cross-entropy.

    Args:
        logit: (B,).
        label: (B,), 0 or 1.
        positive_weight: scalar or (B,), negatives per positive among the training patients, of a patient's site.
        weight: (B,), of each patient.

    Returns:
        A scalar.

    Source: weighting by class after King and Zeng, Political Analysis 2001.
    """
    return functional.binary_cross_entropy_with_logits(logit.float(), label, weight, pos_weight=positive_weight)


def fit_clinical(
    branch: nn.Module,
    rows: Tensor,
    labels: Tensor,
    sites: np.ndarray,
    schema: ClinicalSchema,
    dropout: float,
    penalty: float = 0.0,
) -> None:
    """Fit the clinical branch alone, in place: full batches, balanced by site and class, variables dropped at random.

    Args:
        rows: (n, schema width) of every labelled row, with images or without.
        labels: (n,).
        sites: (n,), code of each row's site.
        penalty: half of it times the squared weights is added to the loss, without the offsets.
    """
    weights = [parameter for parameter in branch.parameters() if parameter.ndim > 1]
    generator = torch.Generator().manual_seed(0)
    of_class, beside = class_weights(labels, sites)
    beside = beside * row_weights(sites)
    optimizer = torch.optim.AdamW(branch.parameters(), 1e-2, weight_decay=0.1)
    for _ in range(300):
        logit = branch(drop_variables(rows, schema, dropout, generator))[:, 0]
        loss = classification_loss(logit, labels, of_class, beside)
        loss = loss + penalty / 2 * torch.stack([weight.square().sum() for weight in weights]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
