"""A tumour: an irregular, spiculated mass with a bright rim and, in some, a necrotic core and satellites.

Under treatment it recedes and fades, with its spicules. Wash-out sets the rate constant kep, heterogeneity the local
spread of uptake, the rim and the core.
"""

from dataclasses import dataclass

import numpy as np

from . import kinetics as tissue
from .anatomy import Body, Breast, Layer
from .frame import Frame, ramp, smooth_minimum
from .traits import Traits
from .treatment import Remains
from .tubes import Tube, draw_tubes, make_curve

_MARGIN = 3.0  # mm kept free under the skin and in front of the chest wall


@dataclass(frozen=True, eq=False)
class Tumour:
    """The layers of a tumour, and the mask that an expert would outline.

    Args:
        layers: mass, core and spicules, from below.
        mask: (k, j, i) bool on the whole exam: the mass with its core, without spicules.
    """

    layers: tuple[Layer, ...]
    mask: np.ndarray


def grow_tumour(
    frame: Frame,
    rng: np.random.Generator,
    body: Body,
    breast: Breast,
    traits: Traits,
    remains: Remains | None = None,
) -> Tumour:
    """Return a tumour in one breast, with the biology of `traits`.

    Args:
        remains: what treatment has left of it; None before treatment.
    """
    if remains is not None and not remains.left:
        return Tumour((), np.zeros(frame.shape, bool))
    radius = traits.diameter / 2
    centre = _place(rng, breast, radius)
    near = frame.around(centre, 2.4 * radius + 8)
    room = np.maximum(body.skin[near.window] + _MARGIN, _MARGIN - body.chest[near.window])
    distance = -smooth_minimum(-_outline(near, rng, centre, radius), -room, 6.0)
    distance -= max(float(distance.min()) + 0.6 * near.pixel, 0)  # the smallest tumour fills a voxel
    fade = 1.0
    if remains is not None:
        distance, fade = remains.recede(near, distance, radius), remains.fade
    mask = np.zeros(frame.shape, bool)
    mask[near.window] = distance < 0
    mass = tissue.tumour_tissue(
        kep=0.7 * float(np.exp(0.5 * traits.washout)), early_concentration=0.33 * float(np.exp(rng.normal(0, 0.15)))
    )
    uptake = np.float32(fade) * _uptake(near, rng, distance, radius, traits.heterogeneity)
    solid = ramp(distance, near.pixel)
    spicules = draw_tubes(near, _spicules(rng, centre, radius)) * (room < 0)
    feeding = draw_tubes(near, _feeders(rng, centre, radius)) * (room < 0)
    layers = [
        Layer(tissue.BLOOD, 0.8 * feeding, frame=near),
        Layer(mass, 0.7 * fade * spicules, uptake=0.7 * fade, frame=near),
        Layer(mass, solid, uptake=uptake, frame=near),
    ]
    core = _core(near, rng, distance, radius, traits.heterogeneity)
    if core is not None:
        layers.append(Layer(tissue.NECROSIS, core * solid, brightness=1 + 0.12 * near.field(rng, 3.0), frame=near))
    return Tumour(tuple(layers), mask)


def _place(rng: np.random.Generator, breast: Breast, radius: float) -> np.ndarray:
    """Return a centre inside the breast, LPS mm; larger tumours lie nearer to its axis."""
    room = float(np.clip(1 - radius / (0.8 * breast.radii[0]), 0.08, 0.75))
    depth = rng.uniform(0.42, 0.48 + 0.25 * room)
    place = breast.place(np.array(depth), np.array(rng.uniform(0, 2 * np.pi)), np.array(room * np.sqrt(rng.random())))
    return np.asarray(place)


def _outline(frame: Frame, rng: np.random.Generator, centre: np.ndarray, radius: float) -> np.ndarray:
    """Return the approximate distance in mm to an irregular ellipsoid and, in a third of patients, its satellites."""
    distance = _ball(frame, centre, radius * np.exp(rng.normal(0, 0.14, 3)))
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 4))):
            away = rng.normal(size=3)
            spot = centre + away / np.linalg.norm(away) * radius * rng.uniform(0.9, 1.6)
            distance = np.minimum(distance, _ball(frame, spot, np.full(3, max(radius * rng.uniform(0.15, 0.4), 2.0))))
    rough = rng.uniform(0.5, 1.3)
    distance += np.float32(rough * 0.17 * radius) * frame.field(rng, max(0.6 * radius, 3.0))
    distance += np.float32(rough * min(0.10 * radius, 1.8)) * frame.field(rng, max(0.2 * radius, 1.5))
    return distance


def _ball(frame: Frame, centre: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return the signed distance in mm to an ellipsoid, exact for a sphere and smooth at its centre."""
    level = sum(((a - c) / r) ** 2 for a, c, r in zip(frame.coordinates, centre, radii, strict=True))
    return ((np.sqrt(level) - 1) * radii.mean()).astype(np.float32)


def _uptake(frame: Frame, rng: np.random.Generator, distance: np.ndarray, radius: float, latent: float) -> np.ndarray:
    """Return the local factor on contrast agent, about 1 on average: log-normal texture, bright rim, dimmer centre."""
    spread = np.float32(min(0.24 * np.exp(0.55 * latent), 0.9))
    coarse, fine = frame.field(rng, max(radius / 4, 2.5)), frame.field(rng, max(radius / 10, 1.6))
    texture = spread * (0.8 * coarse + 0.6 * fine)
    depth = np.clip(-distance / (0.5 * radius), 0, 1)
    rim = (0.28 * np.exp(0.5 * latent) + rng.normal(0, 0.1)) * (0.5 - depth)
    return np.exp(np.clip(texture + rim - spread**2 / 2, -2.5, 1.1)).astype(np.float32)


def _core(
    frame: Frame, rng: np.random.Generator, distance: np.ndarray, radius: float, latent: float
) -> np.ndarray | None:
    """Return the necrotic share of each voxel, or None; large and heterogeneous tumours are more often necrotic."""
    if latent + 0.03 * (2 * radius - 24) + rng.normal(0, 0.6) < 0.7 or radius < 8:
        return None
    depth = rng.uniform(0.3, 0.55) * radius
    ragged = 0.16 * frame.field(rng, 0.35 * radius) + 0.10 * frame.field(rng, 0.13 * radius)
    return ramp(distance + depth + np.float32(radius) * ragged, 0.25 * radius)


def _spicules(rng: np.random.Generator, centre: np.ndarray, radius: float) -> list[Tube]:
    """Return thin strands that radiate from the mass; their number varies."""
    tubes = []
    for _ in range(int(rng.integers(0, 22))):
        away = rng.normal(size=3)
        away /= np.linalg.norm(away)
        length = rng.uniform(1.15, 1.5) * radius + rng.uniform(2, 7)
        points = make_curve(rng, centre + 0.7 * radius * away, centre + length * away, 0.05, points=12)
        tubes.append(Tube(points, np.linspace(rng.uniform(0.8, 1.6), 0.3, 12)))
    return tubes


def _feeders(rng: np.random.Generator, centre: np.ndarray, radius: float) -> list[Tube]:
    """Return one to three vessels that run to the tumour, mostly from behind."""
    tubes = []
    for _ in range(int(rng.integers(1, 4))):
        away = rng.normal(size=3) + [0, 0.8, 0]
        far = centre + away / np.linalg.norm(away) * (2.2 * radius + 8)
        tubes.append(Tube(make_curve(rng, far, centre, 0.07), np.full(40, rng.uniform(0.6, 1.2))))
    return tubes
