"""The body of a phantom patient, lying prone: breasts with fibroglandular tissue, chest wall, heart, lungs, liver.

Positions are LPS in mm: x = 0 is the midline, y = 0 the front of the chest wall at the sternum, z = 0 nipple height.
Signed distances are negative inside.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from . import kinetics as tissue
from .frame import Frame, ellipsoid_distance, ramp, smooth_minimum
from .kinetics import Tissue
from .tubes import Tube, draw_tubes, make_curve

CHEST_DEPTH = 105.0  # of its centre
_CHEST_RADII = (150.0, 105.0, np.inf)
_SKIN_RADII = (166.0, 119.0, np.inf)


@dataclass(frozen=True, eq=False)
class Layer:
    """A tissue that covers the layers below it.

    Args:
        tissue: of the layer.
        share: (k, j, i) share of each voxel, in [0, 1].
        uptake: local factor on the concentration of contrast agent, a number or (k, j, i).
        brightness: local factor on the signal, a number or (k, j, i).
        frame: part of the exam that the layer covers; None for the whole exam.
    """

    tissue: Tissue
    share: np.ndarray
    uptake: np.ndarray | float = 1.0
    brightness: np.ndarray | float = 1.0
    frame: Frame | None = None


@dataclass(frozen=True)
class Breast:
    """A pendulous breast: the body r^taper + v^2 <= 1, v along the depth and r across it, both 0 to 1.

    Args:
        side: +1 left, -1 right.
        centre: of its base, LPS mm.
        radii: half width (x), projection (y), half height (z), mm.
        lean: distance of the nipple to the left of and above the centre of the base, mm.
        taper: 2 is an ellipsoid, less is more conical.
        density: approximate share of fibroglandular tissue.
    """

    side: int
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    lean: tuple[float, float]
    taper: float
    density: float

    @property
    def nipple(self) -> np.ndarray:
        """LPS position of the nipple's tip, (3,) mm."""
        return self.place(np.array(1.0), np.array(0.0), np.array(0.0)) + [0, -2, 0]

    def distance(self, frame: Frame) -> np.ndarray:
        """Return the first-order signed distance to the surface, (k, j, i) mm."""
        x, y, z = frame.coordinates
        y = (y - self.centre[1]) / np.float32(self.radii[1])
        x = (x - self.centre[0] + np.float32(self.lean[0]) * y) / np.float32(self.radii[0])
        z = (z - self.centre[2] + np.float32(self.lean[1]) * y) / np.float32(self.radii[2])
        r2 = x * x + z * z + 1e-4
        radial = r2 ** np.float32(self.taper / 2 - 1)
        mean_radius = (self.radii[0] + self.radii[2]) / 2
        slope = np.sqrt(r2 * (radial * self.taper / mean_radius) ** 2 + (2 * y / self.radii[1]) ** 2)
        return (radial * r2 + y * y - 1) / (slope + np.float32(1e-3))

    def place(self, depth: np.ndarray, angle: np.ndarray, radial: np.ndarray) -> np.ndarray:
        """Return (N, 3) LPS mm of points at `depth` (0 base, 1 nipple), `angle` and `radial` (0 axis, 1 surface)."""
        width = radial * np.clip(1 - depth**2, 0, None) ** (1 / self.taper)
        unit = np.stack([width * np.cos(angle), -depth, width * np.sin(angle)], -1)
        lean = np.multiply.outer(depth, [self.lean[0], 0.0, self.lean[1]])
        return unit * self.radii + self.centre + lean


@dataclass(frozen=True, eq=False)
class Body:
    """The outlines of breasts, skin and chest.

    Args:
        breasts: one or two.
        skin: signed distance to the body's surface, mm, (k, j, i).
        chest: signed distance to the front of the chest muscles, mm, (k, j, i).
    """

    breasts: tuple[Breast, ...]
    skin: np.ndarray
    chest: np.ndarray


def draw_breasts(rng: np.random.Generator, menopause: str, diameter: float) -> tuple[Breast, Breast]:
    """Return left and right breast of one patient: large enough for the tumour, and denser before menopause.

    Args:
        menopause: "pre" or "post".
        diameter: of the tumour, mm.
    """
    size = float(np.clip(rng.normal(1.0, 0.12), 0.8, 1.3)) + max(diameter - 35, 0) * 0.006
    density = float(np.clip(rng.normal(0.45 if menopause == "pre" else 0.25, 0.14), 0.06, 0.8))
    taper, height = rng.uniform(1.75, 2.5), rng.normal(0, 4)
    breasts = []
    for side in (1, -1):
        near = size * rng.normal(1, 0.03)
        centre = (side * (82.0 + rng.normal(0, 2)), 22.0, float(height + rng.normal(0, 2)))
        radii = (70 * min(near, 1.15), 98 * near * rng.normal(1, 0.04), 72 * min(near, 1.15))
        lean = (side * rng.normal(4, 5), rng.normal(-3, 5))
        breasts.append(Breast(side, centre, radii, lean, taper, density))
    return breasts[0], breasts[1]


def shape_body(frame: Frame, rng: np.random.Generator, breasts: tuple[Breast, ...]) -> Body:
    """Return outlines on a frame, with the irregularities of one patient."""
    irregular = 2.5 * frame.field(rng, 60.0)
    centre = _chest_centre(frame)
    skin = ellipsoid_distance(frame, centre, _SKIN_RADII)
    for breast in breasts:
        skin = smooth_minimum(skin, breast.distance(frame) + irregular, 20.0)
        areola = ellipsoid_distance(frame, tuple(breast.nipple + [0, 3, 0]), (5.5, 6.5, 5.5))
        skin = smooth_minimum(skin, areola, 4.0)
    chest = ellipsoid_distance(frame, centre, _CHEST_RADII) + 0.8 * irregular
    return Body(breasts, skin, chest)


def _chest_centre(frame: Frame) -> tuple[float, np.ndarray, float]:
    """Return the centre of the chest, which leans back above and below the breasts."""
    z = frame.coordinates[2]
    return 0.0, CHEST_DEPTH + np.float32(0.0011) * z * z + np.float32(0.07) * z, 0.0


def body_layers(frame: Frame, rng: np.random.Generator, body: Body, background: float) -> Iterator[Layer]:
    """Yield the whole body from the inside out; `background` is the Ktrans of fibroglandular tissue, 1/min."""
    fat_texture = np.exp(0.10 * frame.field(rng, 5.0) + 0.25 * frame.field(rng, 45.0))
    yield Layer(tissue.FAT, ramp(body.skin, frame.pixel), brightness=fat_texture)
    yield from _breast_layers(frame, rng, body, background)
    yield from _chest_wall_layers(frame, rng, body)
    yield from _organ_layers(frame, rng, body)
    yield Layer(tissue.SKIN, ramp(np.abs(body.skin + 0.9) - 0.8, frame.pixel) * (body.chest > -60))
    for breast in body.breasts:
        near = frame.around(breast.nipple, 14.0)
        nipple = ellipsoid_distance(near, tuple(breast.nipple + [0, 4, 0]), (4.5, 7.0, 4.5))
        share = ramp(nipple, frame.pixel) * ramp(body.skin[near.window], frame.pixel)
        yield Layer(tissue.NIPPLE, share, frame=near)
    yield from _vessel_layers(frame, rng, body)


def _breast_layers(frame: Frame, rng: np.random.Generator, body: Body, background: float) -> Iterator[Layer]:
    """Yield connective strands and fibroglandular tissue, denser near the nipple and away from skin and chest wall."""
    coarse = frame.field(rng, (12.0, 17.0, 12.0))
    medium = frame.field(rng, (5.0, 7.0, 5.0))
    fine = frame.field(rng, (2.2, 2.8, 2.2))
    inside = ramp(body.skin + 3.0, 4.0) * ramp(7.0 + 5.0 * coarse - body.chest, 5.0)
    strands = np.clip(1 - np.abs(medium + 0.3 * fine) / 0.2, 0, 1) * np.clip(0.6 + 0.6 * coarse, 0, 1)
    strands *= 0.4 * inside
    yield Layer(tissue.FIBROGLANDULAR, strands, uptake=0.4)
    del strands  # a full-size array takes 96 MB
    score = 0.6 * coarse + 0.75 * medium + 0.55 * fine + _gland_prior(frame, body)
    share = ramp(-score, 1.1) * inside
    del score, inside
    gland = replace(tissue.FIBROGLANDULAR, ktrans=background)
    patchy = np.exp(0.25 * coarse + 0.35 * frame.field(rng, 2.0) - 0.09)
    yield Layer(gland, share, uptake=patchy, brightness=1 + 0.07 * medium + 0.07 * fine)


def _gland_prior(frame: Frame, body: Body) -> np.ndarray:
    """Return the probability of gland at each place: highest along the axis of the breast, near the nipple."""
    prior = np.full(frame.shape, -4.0, np.float32)
    for breast in body.breasts:
        middle = tuple(breast.place(np.array(0.45), np.array(0.0), np.array(0.0)) + [3 * breast.side, 0, 0])
        reach = 0.55 + 0.45 * breast.density
        radii = (breast.radii[0] * reach, 0.62 * breast.radii[1], breast.radii[2] * reach)
        distance = ellipsoid_distance(frame, middle, radii)
        np.maximum(prior, 2.8 * breast.density - 1.3 - np.clip(distance, -10, 60) / np.float32(12), out=prior)
    return prior


def _chest_wall_layers(frame: Frame, rng: np.random.Generator, body: Body) -> Iterator[Layer]:
    """Yield chest muscles, ribs and breastbone."""
    x, y, z = frame.coordinates
    chest = body.chest
    streaks = 1 + 0.10 * frame.field(rng, (12.0, 4.0, 3.0))
    streaks[np.abs(frame.field(rng, (22.0, 5.0, 9.0))) < 0.1] -= 0.3  # fat between the fibres
    wobble = frame.field(rng, 22.0)
    pectoral = chest + 2.0 * wobble + 5 * np.clip(1 - np.abs(x) / 25, 0, 1) * np.clip((60 - y) / 20, 0, 1)
    yield Layer(tissue.MUSCLE, ramp(pectoral, frame.pixel), brightness=streaks)
    slope = z - 0.35 * np.abs(x) + 0.1 * y + 2.0 * wobble
    rib = np.hypot((slope + 13) % 27 - 13.5, 1.3 * (chest + 19)) - 6.0
    bone = np.minimum(rib, np.hypot(0.5 * x + 0 * z, chest + 10 + wobble) - 6.5)
    yield Layer(tissue.MARROW, ramp(bone, 2 * frame.pixel))


def _organ_layers(frame: Frame, rng: np.random.Generator, body: Body) -> Iterator[Layer]:
    """Yield lungs, heart with two chambers, liver, spine and aorta."""
    y = frame.coordinates[1]
    cavity = body.chest + 25 + frame.field(rng, 22.0) + 18 * np.clip((y - 140) / 40, 0, 1)
    specks = np.exp(0.5 * frame.field(rng, 5.0))
    yield Layer(tissue.LUNG, ramp(cavity, 1.5 * frame.pixel), brightness=specks)
    blur = 2.5 * frame.pixel  # they move while the phase is acquired
    wobble = 6 * frame.field(rng, 24.0)
    sac = np.maximum(ellipsoid_distance(frame, (22.0, 78.0, -22.0), (60.0, 44.0, 64.0)) + wobble, cavity + 1)
    yield Layer(tissue.FAT, ramp(sac, blur))
    heart = np.maximum(ellipsoid_distance(frame, (24.0, 78.0, -22.0), (54.0, 39.0, 58.0)) + wobble, sac + 3)
    yield Layer(tissue.MYOCARDIUM, ramp(heart, blur), brightness=0.8 + 0.2 * specks)
    septum = np.abs(0.5 * (frame.coordinates[0] - 20) - 0.9 * (frame.coordinates[1] - 72) + wobble) - 5
    chambers = np.maximum(heart + 5, -septum)
    yield Layer(tissue.BLOOD, ramp(chambers, 2 * blur), brightness=0.85 + 0.15 * specks)
    liver = np.maximum(ellipsoid_distance(frame, (-55.0, 105.0, -150.0), (98.0, 84.0, 92.0)) + wobble, cavity)
    yield Layer(tissue.LIVER, ramp(liver, blur), brightness=0.75 + 0.06 * specks)
    yield Layer(tissue.MARROW, ramp(ellipsoid_distance(frame, (0.0, 172.0, 0.0), (23.0, 20.0, np.inf)), blur))
    yield Layer(tissue.BLOOD, ramp(ellipsoid_distance(frame, (26.0, 150.0, 0.0), (11.0, 11.0, np.inf)), blur))


def _vessel_layers(frame: Frame, rng: np.random.Generator, body: Body) -> Iterator[Layer]:
    """Yield veins under the skin and deep perforators of each breast, and the internal mammary vessels."""
    tubes = []
    for breast in body.breasts:
        for _ in range(int(rng.integers(6, 12))):
            tubes += _branching(rng, breast)
    for side in (1, -1):
        for offset in (0.0, 4.0):
            ends = np.array([[side * (20 + offset), 32.0, -120.0], [side * (24 + offset), 24.0, 120.0]])
            points = make_curve(rng, ends[0], ends[1], 0.012, points=60)
            tubes.append(Tube(points, np.full(len(points), 1.5)))
    share = draw_tubes(frame, tubes)
    share *= body.skin < -1.0
    yield Layer(tissue.BLOOD, 0.9 * share)


def _branching(rng: np.random.Generator, breast: Breast) -> list[Tube]:
    """Return a vessel from the base of the breast towards the nipple, with up to three side branches."""
    angle = rng.uniform(0, 2 * np.pi)
    radial = rng.uniform(0.80, 0.93) if rng.random() < 0.7 else rng.uniform(0.3, 0.7)
    start = np.array([rng.uniform(0.02, 0.25), angle, radial])
    end = np.array([rng.uniform(0.55, 0.9), angle + rng.normal(0, 0.5), radial * rng.uniform(0.8, 1.0)])
    width = rng.uniform(0.6, 1.4)
    trunk = make_curve(rng, start, end, 0.05)
    paths = [(trunk, width)]
    for _ in range(int(rng.integers(0, 4))):
        fork = trunk[rng.integers(8, 32)]
        tip = fork + [rng.uniform(0.1, 0.35), rng.normal(0, 0.6), rng.uniform(-0.3, 0.0)]
        paths.append((make_curve(rng, fork, tip, 0.06), 0.6 * width))
    tubes = []
    for path, radius in paths:
        points = breast.place(np.clip(path[:, 0], -0.2, 0.97), path[:, 1], np.clip(path[:, 2], 0.02, 0.95))
        tubes.append(Tube(points, radius * np.linspace(1, 0.45, len(points))))
    return tubes
