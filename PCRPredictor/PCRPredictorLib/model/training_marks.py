"""Whether a model was trained on an exam or patient: hashes that reveal neither, compared with those of the bundle."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

import numpy as np

from ..answers import number_key
from ..errors import Notice
from ..exam import Exam


def image_hash(exam: Exam) -> str:
    """Return a hash of the early phase's voxels, the same for copies of an exam under any name."""
    return hashlib.blake2b(np.ascontiguousarray(exam.early).data, digest_size=8).hexdigest()


def identifier_hash(patient_id: str) -> str:
    """Return a hash of an identifier, the same in any case; a short identifier can be found by trying all of them."""
    return hashlib.blake2b(patient_id.strip().lower().encode(), digest_size=8, person=b"BreastPCR").hexdigest()


def identifier_hashes(patient_id: str) -> set[str]:
    """Return the hashes of an identifier as it is and without leading zeros, which a table may have dropped."""
    return {identifier_hash(patient_id), identifier_hash(number_key(patient_id))}


def about_training(exam: Exam, images: Collection[str], patients: Collection[str]) -> Iterable[Notice]:
    """Yield a warning if the model was trained on the exam, or else on a patient with the same identifier.

    Args:
        images, patients: hashes of the model's training, see `Bundle.training_hashes`.
    """
    if images and image_hash(exam) in images:
        yield Notice(
            "trained_on_exam",
            "The model was trained on this exam and knows its outcome; do not rely on the result.",
            blocks_decision=True,
        )
    else:
        yield from about_patient(exam.provenance.patient_id, patients)


def about_patient(patient_id: str | None, patients: Collection[str]) -> Iterable[Notice]:
    """Yield a warning if the model was trained on a patient with this identifier.

    Args:
        patient_id: in the source, if known.
        patients: hashes of the model's training.
    """
    if patient_id and identifier_hashes(patient_id) & set(patients):
        yield Notice(
            "trained_on_patient",
            "The model was trained on a patient with this identifier. If it is the same patient, it knows the outcome; "
            "do not rely on the result then.",
        )
