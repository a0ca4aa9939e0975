"""Models on disk: a MONAI bundle folder with safetensors weights, one file per fold, and checksums of all files.

    configs/metadata.json    card, inputs, channels, clinical schema, output
    configs/inference.json   network, grid, folds, flips, calibration, operating points, training ranges
    configs/training_images.json  hashes of images and marks of identifiers trained on, to refuse an evaluation on them
    configs/training_distribution.json  what the training patients were like, see `shift.distribution`; optional
    configs/recalibration.json  how the model was adapted to a cohort; optional
    models/fold_<k>.safetensors
    docs/README.md           the model card for people
    checksums.json           SHA-256 of the files above

Reading a bundle executes nothing from it: `_target_` entries are for MONAI's own tools and are not followed, weights
are tensors only. torch is not needed before `load_networks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..backbones.names import OWN, check_backbone
from ..bundles import folder
from ..bundles.bounds import check_metadata, check_parts, check_settings
from ..bundles.folder import CHECKSUMS, INFERENCE, METADATA, README, check_kind, checksums, read_json, verify_bundle
from ..clinical import ClinicalSchema
from ..errors import DataError
from ..prediction import ModelIdentity, OperatingPoint
from ..writing import whole_folder, write_json
from .card import FORMAT, InferenceSettings, ModelCard, metadata_to_json, settings_from_json, settings_to_json
from .training_marks import to_marks

if TYPE_CHECKING:
    from torch import Tensor

    from ..network import PCRNet

TRAINING_IMAGES, TRAINING_DISTRIBUTION, RECALIBRATION = (
    "configs/training_images.json",
    "configs/training_distribution.json",
    "configs/recalibration.json",
)


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and is intact."""

    path: Path
    card: ModelCard
    schema: ClinicalSchema
    settings: InferenceSettings
    checksum: str

    @property
    def folds(self) -> list[Path]:
        """Return the weight files, one per fold."""
        return sorted(file for file in (self.path / "models").glob("*.safetensors") if not file.name.startswith("."))

    @property
    def identity(self) -> ModelIdentity:
        """Return the description of the model in a prediction."""
        return self.card.identify(self.checksum, self.settings.base_rate)

    @property
    def training_hashes(self) -> tuple[list[str], list[str]]:
        """Return hashes of images and marks of identifiers that the model was trained on; empty if it has no list.

        Raises:
            DataError: if the list is damaged.
        """
        path = self.path / TRAINING_IMAGES
        content = read_json(path) if path.is_file() else {}
        return content.get("fingerprints", []), content.get("patients", [])

    @property
    def training_distribution(self) -> dict | None:
        """Return what the training patients were like, None in a bundle of an earlier version.

        Raises:
            DataError: if that part is damaged.
        """
        path = self.path / TRAINING_DISTRIBUTION
        return read_json(path) if path.is_file() else None

    @property
    def recalibration(self) -> dict | None:
        """Return how the model was adapted to a cohort, None if it was not.

        Raises:
            DataError: if that part is damaged.
        """
        path = self.path / RECALIBRATION
        return read_json(path) if path.is_file() else None

    @property
    def lacking(self) -> tuple[str, ...]:
        """Return what a bundle of an earlier version lacks and what is not done without it, a sentence each.

        Its numbers are those that it has always given.

        Raises:
            DataError: if a part is damaged.
        """
        parts = {
            "It does not hold the share of its training patients with pCR: probabilities stand without it.": (
                self.identity.base_rate is not None
            ),
            "It does not hold its typical patient: bars begin at unknown values.": self.settings.typical is not None,
            "It does not hold the times of its patients' phases: an exam timed unlike them gives no warning.": (
                self.settings.times
            ),
            "It does not hold what its patients were like: a cohort is compared with them by few variables.": (
                self.training_distribution is not None
            ),
            "It does not hold who its patients were: exams of theirs are not recognised.": self.training_hashes[0],
        }
        return tuple(sentence for sentence, there in parts.items() if not there)

    def operating_point(self, name: str | None = None) -> OperatingPoint:
        """Return the operating point of that name, or the default one.

        Raises:
            DataError: if there is no such operating point.
        """
        points = {point.name: point for point in self.settings.operating_points}
        if name is None:
            return self.settings.operating_points[0]
        if name not in points:
            raise DataError(f"operating point {name!r} is not in this model; use {', '.join(points)}")
        return points[name]

    def load_networks(self, device: str = "cpu") -> list[PCRNet]:
        """Load the fold ensemble, ready to predict.

        Raises:
            DataError: if a weight file does not fit the network that the bundle describes, or is broken.
        """
        import torch  # it is loaded here, by the first prediction, and not before
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from ..network import PCRNet

        networks = []
        for fold in self.folds:
            try:
                network = PCRNet(**self.settings.network)  # type: ignore[arg-type]
                weights = load_file(fold)
                if not all(torch.isfinite(tensor).all() for tensor in weights.values()):
                    raise ValueError("its weights must be finite numbers")
                network.load_state_dict(weights)
            except DataError:
                raise
            except (RuntimeError, TypeError, ValueError, OSError, SafetensorError) as error:
                reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
                raise DataError(f"{fold}: does not fit the network of this bundle ({reason}); get it again") from None
            networks.append(network.eval().to(device))
        return networks


def bundled_models() -> dict[str, Path]:
    """Return name and folder of the models of images that ship."""
    return folder.bundled_models("image")


def find_bundle(name: str | Path) -> Path:
    """Return the folder of a model of images: a bundle, that of a training run, or a bundled model of that name.

    Raises:
        DataError: if it is none of these, or a model of a different kind.
    """
    return folder.find_bundle(name, "image")


def load_bundle(path: Path) -> Bundle:
    """Read and verify a bundle.

    Raises:
        DataError: if a file is missing, changed or of a different format, or the model is of a different kind.
    """
    checksum = verify_bundle(path)
    check_kind(path, "image")
    metadata, inference = read_json(path / METADATA), read_json(path / INFERENCE)
    try:
        if metadata["breastpcr_format"] != FORMAT:
            raise DataError(
                f"{path}: bundle format must be {FORMAT}, got {metadata['breastpcr_format']}; update BreastPCR"
            )
        network = inference["network"]
        check_backbone(network.get("backbone", OWN) if isinstance(network, dict) else OWN, str(path))
        check_metadata(metadata)
        schema = ClinicalSchema.from_json(metadata["clinical_schema"])
        check_settings(inference, schema.width)
        bundle = Bundle(
            path=path,
            card=ModelCard(**metadata["card"]),
            schema=schema,
            settings=settings_from_json(inference),
            checksum=checksum,
        )
        marks = read_json(path / TRAINING_IMAGES) if (path / TRAINING_IMAGES).is_file() else {}
        check_parts(marks, bundle.training_distribution, bundle.recalibration)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a BreastPCR bundle ({error}); get it again from where it came from") from None
    if not bundle.folds:
        raise DataError(f"{path}: has no weights in models/*.safetensors; get it again from where it came from")
    return bundle


def write_bundle(
    path: Path,
    card: ModelCard,
    schema: ClinicalSchema,
    settings: InferenceSettings,
    weights: Sequence[Mapping[str, Tensor]],
    readme: str,
    training_images: Sequence[str] = (),
    training_patients: Sequence[str] = (),
    more: Mapping[str, object] = {},
) -> None:
    """Write a bundle folder, completely or not at all.

    Args:
        weights: state dict of each fold.
        readme: the model card for people, Markdown.
        training_images: fingerprints of the images trained on; without the image they reveal nothing of a patient.
        training_patients: hashes of the identifiers trained on; their marks are written, see `training_marks`.
        more: optional parts, `TRAINING_DISTRIBUTION` or `RECALIBRATION`, to their plain values.

    Raises:
        DataError: if it cannot be written.
    """
    from safetensors.torch import save_file

    with whole_folder(path) as staging:
        for sub in ("configs", "models", "docs"):
            (staging / sub).mkdir()
        write_json(metadata_to_json(card, schema, settings.grid), staging / METADATA)
        write_json(settings_to_json(settings), staging / INFERENCE)
        if training_images:
            known = {"fingerprints": sorted(training_images), "patients": to_marks(training_patients)}
            write_json(known, staging / TRAINING_IMAGES)
        for name, content in more.items():
            write_json(content, staging / name)
        (staging / README).write_text(readme, encoding="utf-8")
        for k, state in enumerate(weights):
            save_file(
                {name: tensor.contiguous() for name, tensor in state.items()}, staging / f"models/fold_{k}.safetensors"
            )
        write_json(checksums(staging), staging / CHECKSUMS)
