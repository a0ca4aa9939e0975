"""Whether a model was trained on an exam or patient: hashes that are compared with those of the bundle.

A hash of voxels reveals nothing of a patient. An identifier is short, so that whoever has its hash can try all that
are possible. A bundle therefore holds marks of the hashes: a function that is slow and takes memory, with a salt of
the bundle. One mark takes 15 ms and 8 MB: 300,000 guesses take over an hour of one core, where plain hashes took 0.3
s. Guessing is made slow, not impossible. Bundles of earlier versions hold the plain hashes, which are still compared.

Source: Percival and Josefsson, The scrypt Password-Based Key Derivation Function, RFC 7914.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from ..answers import number_key
from ..errors import Notice
from ..exam import Exam

TRAINED_ON_EXAM, TRAINED_ON_PATIENT = "trained_on_exam", "trained_on_patient"  # codes of the warnings
_COST = 13  # power of two of scrypt's N; memory is N kB
_HIGHEST_COST, _MOST_SALTS = 15, 20  # of the marks of a bundle that are compared: its own, and of those it goes on from
_MARK = re.compile(r"(\d\d):([0-9a-f]{16}):[0-9a-f]{16}")  # cost, salt, digest


def image_hash(exam: Exam) -> str:
    """Return a hash of the early phase's voxels, the same for copies of an exam under any name."""
    return hashlib.blake2b(np.ascontiguousarray(exam.early).data, digest_size=8).hexdigest()


def identifier_hash(patient_id: str) -> str:
    """Return a hash of an identifier, the same in any case; it is found at once by trying, so it is not handed on."""
    plain = patient_id.strip().lower().encode("utf-8", "surrogatepass")  # the name of a folder may be no text
    return hashlib.blake2b(plain, digest_size=8, person=b"BreastPCR").hexdigest()


def identifier_hashes(patient_id: str) -> set[str]:
    """Return the hashes of an identifier as it is and without leading zeros, which a table may have dropped."""
    return {identifier_hash(patient_id), identifier_hash(number_key(patient_id))}


def to_marks(hashes: Collection[str]) -> list[str]:
    """Return the marks of hashes of identifiers, sorted; those that are marks already stay as they are.

    The salt is made of all hashes, so that the same patients give the same bundle.
    """
    plain = sorted({each for each in hashes if not _MARK.fullmatch(each)})
    salt = hashlib.blake2b("".join(plain).encode(), digest_size=8, person=b"BreastPCR salt").hexdigest()
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # scrypt lets other threads run
        made = list(threads.map(lambda each: _mark(each, _COST, salt), plain))
    return sorted({*made, *hashes} - set(plain))


def describe_marks(marks: Collection[str]) -> str:
    """Return how the identifiers of the training patients are kept, in words."""
    if not marks:
        return "of training patients: none are kept"
    if all(_MARK.fullmatch(each) for each in marks):
        return "of training patients: as slow keyed hashes; guessing them takes 15 ms a guess and is not impossible"
    return (
        "of training patients: as plain hashes of an earlier version, which anybody finds who guesses; hand this model "
        "on only if that is allowed, or train it again"
    )


def known_patients(identifiers: Collection[str], marks: Collection[str]) -> set[str]:
    """Return the identifiers that a model was trained on; about 15 ms for each, divided among the processors.

    Args:
        identifiers: as they are in the source.
        marks: of the model's training, or plain hashes.
    """
    plain = set(marks)
    found = {(int(match[1]), match[2]) for each in plain if (match := _MARK.fullmatch(each))}
    kinds = sorted(kind for kind in found if kind[0] <= _HIGHEST_COST)[:_MOST_SALTS]

    def is_known(identifier: str) -> bool:
        hashes = identifier_hashes(identifier)
        if hashes & plain:
            return True
        made = (_mark(each, *kind) for kind in kinds for each in sorted(hashes))
        return any(mark in plain for mark in made)

    names = list(identifiers)
    if not kinds or len(names) < 2:
        return {name for name in names if is_known(name)}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return {name for name, found in zip(names, threads.map(is_known, names), strict=True) if found}


@lru_cache(maxsize=100_000)
def _mark(plain: str, cost: int, salt: str) -> str:
    """Return the mark of a plain hash."""
    found = hashlib.scrypt(plain.encode(), salt=bytes.fromhex(salt), n=1 << cost, r=8, p=1, dklen=8, maxmem=1 << 28)
    return f"{cost}:{salt}:{found.hex()}"


def about_training(exam: Exam, images: Collection[str], patients: Collection[str]) -> Iterable[Notice]:
    """Yield a warning if the model was trained on the exam, or else on a patient with the same identifier.

    Args:
        images, patients: hashes of images and marks of identifiers, see `Bundle.training_hashes`.
    """
    if images and image_hash(exam) in images:
        yield Notice(
            TRAINED_ON_EXAM,
            "The model was trained on this exam and knows its outcome; do not rely on the result.",
            blocks_decision=True,
        )
    else:
        yield from about_patient(exam.provenance.patient_id, patients)


def about_patient(patient_id: str | None, patients: Collection[str]) -> Iterable[Notice]:
    """Yield a warning if the model was trained on a patient with this identifier.

    Args:
        patient_id: in the source, if known.
        patients: marks of the model's training.
    """
    if patient_id and known_patients([patient_id], patients):
        yield Notice(
            TRAINED_ON_PATIENT,
            "The model was trained on a patient with this identifier and knows the outcome; do not rely on the result. "
            "If yours is a different patient, give it a different identifier.",
            blocks_decision=True,
        )
