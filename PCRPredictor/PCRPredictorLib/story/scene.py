"""The patient of the story at both hospitals, with every network's probability and heat. Arrays are (rows, columns)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..exam import Exam
from ..formatting import format_percent
from ..model.attention import mass_inside, to_attention_map
from ..model.bundle import Bundle
from ..model.calibration import calibrate
from ..model.grid import Window, place_window, sample
from ..model.kinetics import measure_quantities
from ..model.normalisation import to_channels
from ..network import Output, PCRNet
from ..phantom.patient import patient_traits, scan_patient
from ..phantom.site import SITES, find_site
from ..report.display import slice_view
from .facts import HOSPITALS, UNGUIDED, Facts, elsewhere

_VIEW = 92.0  # mm shown: the window of 80 mm and a margin


@dataclass(frozen=True, eq=False)
class Heat:
    """What one network makes of one exam.

    Args:
        probability: of complete response.
        image: where it looks, in the slice that is shown, as a share of the peak of the exam.
        in_tumour: share of all heat inside the tumour.
    """

    probability: float
    image: np.ndarray
    in_tumour: float


@dataclass(frozen=True, eq=False)
class View:
    """The patient at one hospital, in one slice.

    Args:
        grey: early phase, 0 black to 1 white.
        mask: tumour, bool.
        heat: by network.
        enhancement_in_tumour: share of a plain map of early enhancement inside the tumour.
    """

    grey: np.ndarray
    mask: np.ndarray
    heat: Mapping[str, Heat]
    enhancement_in_tumour: float


@dataclass(frozen=True, eq=False)
class Scene:
    """The patient at both hospitals.

    Args:
        views: by hospital.
        responds: whether the patient does.
        probability: the true one.
        tissue_alone: probability that the unguided network gives at hospital A's scanner with the normal tissue of B.
    """

    views: Mapping[str, View]
    responds: bool
    probability: float
    tissue_alone: float

    def describe(self, network: str) -> dict[str, str]:
        """Return the probability that a network gives, by hospital, such as "80 %"."""
        return {hospital: format_percent(view.heat[network].probability) for hospital, view in self.views.items()}


def make_scene(facts: Facts, bundles: Mapping[str, Bundle]) -> Scene:
    """Scan the patient at both hospitals and run every network on both exams.

    The lattice of hospital A is used for both, which gives both exams the same anatomy.
    """
    here = find_site("A", facts.shortcut)
    there = replace(SITES["B"], name=here.name, spacing=here.spacing)
    traits = patient_traits(here, facts.index, facts.seed)
    networks = {name: (bundle, bundle.load_networks()[0]) for name, bundle in bundles.items()}
    views = {}
    for hospital, site, seen in zip(HOSPITALS, (here, there), (traits, elsewhere(traits, facts)), strict=True):
        exam = scan_patient(seen, site, facts.index, facts.seed).exam
        views[hospital] = _view(exam, networks)
    exam = scan_patient(elsewhere(traits, facts), here, facts.index, facts.seed).exam
    tissue_alone = _view(exam, {UNGUIDED: networks[UNGUIDED]}).heat[UNGUIDED].probability
    return Scene(views, bool(traits.pcr), traits.probability, tissue_alone)


def _view(exam: Exam, networks: Mapping[str, tuple[Bundle, PCRNet]]) -> View:
    mask = np.asarray(exam.mask) != 0
    order = slice_view(exam.geometry).order
    shown = int(np.count_nonzero(order.view(mask), axis=(1, 2)).argmax())
    rows, columns = _cut(exam, mask)

    def cut(array: np.ndarray) -> np.ndarray:
        return order.view(array)[shown, rows, columns]

    heat = {}
    for name, (bundle, network) in networks.items():
        window = place_window(mask, exam.geometry, bundle.settings.grid)
        probability, grid = run_network(exam, window, bundle, network)
        tumour = _pooled(sample(mask, window), grid.shape)
        heat[name] = Heat(probability, cut(to_attention_map(grid, window)), mass_inside(grid, tumour))
    channels = to_channels(exam, window)
    enhancement = mass_inside(_pooled(channels[1].clip(0), tumour.shape), tumour)
    early = cut(exam.early).astype(np.float32)
    white = float(np.percentile(early, 99.7))
    return View((early / white).clip(0, 1), cut(mask), heat, enhancement)


def _cut(exam: Exam, mask: np.ndarray) -> tuple[slice, slice]:
    """Return rows and columns of a square around the tumour."""
    view = slice_view(exam.geometry)
    present = view.order.view(mask).any(0)
    spans = []
    for axis, spacing, count in zip((1, 0), view.spacing[1:], present.shape, strict=True):
        middle = np.flatnonzero(np.any(present, axis=axis))[[0, -1]].mean()
        size = min(round(_VIEW / spacing), count)
        first = int(np.clip(round(middle - size / 2), 0, count - size))
        spans.append(slice(first, first + size))
    return spans[0], spans[1]


def run_network(exam: Exam, window: Window, bundle: Bundle, network: PCRNet) -> tuple[float, np.ndarray]:
    """Return the probability of response and the heat on the model grid, (slices, rows / 2, columns / 2)."""
    schema, settings = bundle.schema, bundle.settings
    image = torch.from_numpy(to_channels(exam, window))[None]
    values = schema.complete(schema.parse(exam.clinical), measure_quantities(exam, schema))
    with torch.inference_mode():
        output = network(image, torch.from_numpy(schema.encode(values))[None] if schema.variables else None)
        heat = output.log_attention.exp() if output.log_attention is not None else class_activation(network, output)
    probability = float(calibrate(output.logit.double().numpy(), settings.calibration)[0])
    size = [settings.grid.slices, settings.grid.size // 2, settings.grid.size // 2]
    heat = torch.nn.functional.interpolate(heat, size=size, mode="trilinear")
    return probability, heat[0, 0].numpy()


def class_activation(network: PCRNet, output: Output) -> torch.Tensor:
    """Return where a network without attention looks, not negative, (B, 1, slices / 2, rows / 4, columns / 4).

    It is the class activation map of the predicted class. As the head is linear in the mean of the features, Grad-CAM
    is the same map.

    Source: Zhou et al., CVPR 2016; Selvaraju et al., ICCV 2017, section 3.
    """
    weights = network.head.weight[0, None, :, None, None, None]
    sign = torch.where(output.image_logit > 0, 1.0, -1.0)[:, None, None, None, None]
    return (sign * (weights * output.features).sum(1, keepdim=True)).clamp(min=0)


def _pooled(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a map on the model grid, averaged to a coarser one."""
    grid = torch.from_numpy(values)[None, None].float()
    pooled = torch.nn.functional.adaptive_avg_pool3d(grid, shape)  # type: ignore[arg-type]
    return pooled[0, 0].numpy()
