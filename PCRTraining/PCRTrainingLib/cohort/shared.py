"""Patients of a cohort that a model was trained on: they are refused, or left out on request."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PCRPredictorLib.errors import DataError, Problem
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.formatting import count
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.model.training_marks import image_hash, known_patients

from .cache import GridCache

LEAVE_OUT = "give --leave-out-known to evaluate the others"
_SHOWN = 10  # patients in a sentence
BY_NAME = "a model that is evaluated was trained on a patient of this identifier; left out as asked"
_BY_IMAGES = "a model that is evaluated was trained on these images; left out as asked"


@dataclass(frozen=True)
class Known:
    """What models were trained on, as far as a cohort could hold it.

    Args:
        names: identifiers of the cohort.
        images: hashes of images.
    """

    names: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()

    @property
    def problems(self) -> list[Problem]:
        """Return why the patients are left out that are known before they are read."""
        return [Problem(name, BY_NAME) for name in sorted(self.names)]

    def refuse_images(self, exam: Exam) -> None:
        """Refuse an exam that was trained on.

        Raises:
            DataError: saying so.
        """
        if self.images and image_hash(exam) in self.images:
            raise DataError(_BY_IMAGES)


def find_known(bundles: Iterable[Bundle], identifiers: Collection[str]) -> Known:
    """Return what models were trained on, of a cohort with these identifiers; no image is read."""
    names, hashes = set[str](), set[str]()
    for bundle in bundles:
        images, patients = bundle.training_hashes
        hashes |= set(images)
        names |= known_patients(identifiers, patients)
    return Known(frozenset(names), frozenset(hashes))


def refuse_shared(
    cache: GridCache, cohort: Path, images: Collection[str] = (), patients: Collection[str] = (), advice: str = ""
) -> None:
    """Refuse a cohort that shares patients with training.

    Args:
        images: fingerprints of the images trained on.
        patients: marks or hashes of the identifiers trained on, see `model.training_marks`.
        advice: see `describe_shared`.

    Raises:
        DataError: naming patients of the cohort that were trained on.
    """
    images = set(images)
    known = known_patients([record.own_id for record in cache.records], patients)
    by_images = [record.patient_id for record in cache.records if record.fingerprint in images]
    by_name = [r.patient_id for r in cache.records if r.own_id in known and r.fingerprint not in images]
    if by_images or by_name:
        raise DataError(describe_shared(cohort, by_images, by_name, advice))


def describe_shared(cohort: Path, by_images: Sequence[str], by_name: Sequence[str], advice: str = "") -> str:
    """Return the sentence that refuses a cohort: who is shared, how it was found, and what to do.

    Args:
        by_images: patients whose images were trained on.
        by_name: others, of whom the identifier was.
        advice: one more thing to do.
    """
    names = [*by_images, *by_name]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    if not by_name:
        how = "found by the images"
    elif not by_images:
        how = "found by the identifier"
    else:
        how = f"{len(by_images)} found by the images, {len(by_name)} by the identifier alone"
    actions = ["take them out of one of them", advice, "rename those that are different patients" if by_name else ""]
    return (
        f"{cohort} shares {count(len(names), 'patient')} with the training cohort ({', '.join(names[:_SHOWN])}{more}; "
        f"{how}); {', or '.join(filter(None, actions))}"
    )
