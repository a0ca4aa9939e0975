"""The loss of a batch, and the fit of the clinical branch alone."""

from collections.abc import Callable, Sequence

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
    branch: nn.Sequential,
    rows: Tensor,
    labels: Tensor,
    sites: np.ndarray,
    schema: ClinicalSchema,
    dropout: float,
    penalty: float = 0.0,
) -> None:
    """Fit the clinical branch alone, in place: full batches, balanced by site and class, variables dropped at random.

    Optional variables are fitted last, to what the others leave unexplained, and centred: their mean over the rows that
    have them is 0. A patient without them then has the logit of a model that does not know them. A branch with hidden
    units has no separate terms and fits all variables together.

    Args:
        rows: (n, schema width) of every labelled row, with images or without.
        labels: (n,).
        sites: (n,), code of each row's site.
        penalty: half of it times the squared weights is added to the loss, without the offsets.
    """
    generator = torch.Generator().manual_seed(0)
    of_class, beside = class_weights(labels, sites)
    beside = beside * row_weights(sites)

    def minimise(logits: Callable[[Tensor], Tensor], inputs: Tensor, parameters: Sequence[Tensor]) -> None:
        weights = [parameter for parameter in parameters if parameter.ndim > 1]
        optimizer = torch.optim.AdamW(parameters, 1e-2, weight_decay=0.1)
        for _ in range(300):
            logit = logits(drop_variables(inputs, schema, dropout, generator))[:, 0]
            loss = classification_loss(logit, labels, of_class, beside)
            loss = loss + penalty / 2 * torch.stack([weight.square().sum() for weight in weights]).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    optional = torch.tensor([v.optional for v in schema.variables for _ in range(v.width)], dtype=torch.bool)
    if len(branch) > 1 or not optional.any():
        minimise(branch, rows, list(branch.parameters()))
        return
    asked, more = rows * ~optional, rows * optional
    minimise(branch, asked, list(branch.parameters()))
    offset = branch(asked).detach()
    added = torch.zeros(1, schema.width, requires_grad=True)
    minimise(lambda values: offset + values @ added.T, more, [added])
    with torch.no_grad():
        weight = next(branch.parameters())
        weight[:, optional] = _centre(added, more, schema)[:, optional]


def _centre(weights: Tensor, rows: Tensor, schema: ClinicalSchema) -> Tensor:
    """Return the weights, (1, schema width), less each category's mean term over the rows that have a value."""
    parts = zip(weights.split(schema.widths, 1), rows.split(schema.widths, 1), strict=True)
    means = [(w * r).sum() / r.sum().clamp_min(1) for w, r in parts]  # one input of a known category is 1
    return weights - torch.stack(means).repeat_interleave(torch.tensor(schema.widths))
