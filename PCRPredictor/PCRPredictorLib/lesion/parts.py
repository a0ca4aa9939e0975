"""The tumours of a mask that does not tell them apart: parts that lie far from each other."""

import numpy as np
from scipy.ndimage import find_objects, label
from scipy.sparse.csgraph import connected_components

from ..exam import Exam, Geometry, Lesion

APART_MM = 20.0  # parts of a mask farther from each other than that are different tumours


def separate(mask: np.ndarray, geometry: Geometry) -> list[np.ndarray]:
    """Return the tumours of a mask, each bool (k, j, i), the largest first.

    Connected parts whose boxes are less than `APART_MM` apart belong to one tumour, such as one with satellites.

    Args:
        mask: (k, j, i), non-zero inside.
        geometry: of the exam.
    """
    parts, _ = label(np.asarray(mask) != 0)
    boxes = find_objects(parts)
    if len(boxes) < 2:
        return [parts != 0]
    spacing = np.array(geometry.spacing[::-1])
    low = np.array([[span.start for span in box] for box in boxes]) * spacing
    high = np.array([[span.stop for span in box] for box in boxes]) * spacing
    gap = np.maximum(np.maximum(low[:, None] - high[None], low[None] - high[:, None]), 0)
    _, group = connected_components(np.linalg.norm(gap, axis=-1) < APART_MM)
    tumour = np.concatenate([[-1], group])[parts]
    found = [tumour == number for number in range(group.max() + 1)]
    return sorted(found, key=np.count_nonzero, reverse=True)


def with_separate_lesions(exam: Exam) -> Exam:
    """Return the exam with each tumour of its mask as a lesion; labels that it has already are lesions as they are."""
    if exam.mask is None or exam.lesions:
        return exam
    found = separate(np.asarray(exam.mask), exam.geometry)
    return exam.with_lesions([Lesion(f"tumour {n}", mask.astype(np.uint8)) for n, mask in enumerate(found, 1)])
