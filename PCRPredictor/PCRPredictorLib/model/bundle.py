"""Models on disk: a MONAI bundle folder with safetensors weights, one file per fold, and checksums of all files.

    configs/metadata.json    card, inputs, channels, clinical schema, output
    configs/inference.json   network, grid, folds, flips, calibration, operating points, training ranges
    configs/training_images.json  hashes of images and identifiers trained on, to refuse an evaluation on them
    configs/training_distribution.json  what the training patients were like, see `shift.distribution`; optional
    configs/recalibration.json  how the model was adapted to a cohort; optional
    models/fold_<k>.safetensors
    docs/README.md           the model card for people
    checksums.json           SHA-256 of the files above

Reading a bundle executes nothing from it: `_target_` entries are for MONAI's own tools and are not followed, weights
are tensors only. torch is not needed before `load_networks`.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..backbones.names import OWN, check_backbone
from ..clinical import ClinicalSchema
from ..errors import DataError
from ..prediction import ModelIdentity, OperatingPoint
from ..writing import whole_folder, write_json
from .card import FORMAT, InferenceSettings, ModelCard, metadata_to_json, settings_from_json, settings_to_json

if TYPE_CHECKING:
    from torch import Tensor

    from ..network import PCRNet

METADATA, INFERENCE, TRAINING_IMAGES, TRAINING_DISTRIBUTION, RECALIBRATION, CHECKSUMS, README = (
    "configs/metadata.json",
    "configs/inference.json",
    "configs/training_images.json",
    "configs/training_distribution.json",
    "configs/recalibration.json",
    "checksums.json",
    "docs/README.md",
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
        return sorted((self.path / "models").glob("*.safetensors"))

    @property
    def identity(self) -> ModelIdentity:
        """Return the description of the model in a prediction."""
        card = self.card
        return ModelIdentity(
            card.name,
            card.version,
            self.checksum,
            card.training_data,
            card.licence,
            card.intended_use,
            auc=card.auc,
            base_rate=self.settings.base_rate if self.settings.base_rate is not None else card.base_rate,
        )

    @property
    def training_hashes(self) -> tuple[list[str], list[str]]:
        """Return hashes of images and of identifiers that the model was trained on; empty if the bundle has no list.

        Raises:
            DataError: if the list is damaged.
        """
        path = self.path / TRAINING_IMAGES
        content = _read_json(path) if path.is_file() else {}
        return list(content.get("fingerprints", [])), list(content.get("patients", []))

    @property
    def training_distribution(self) -> dict | None:
        """Return what the training patients were like, None in a bundle of an earlier version.

        Raises:
            DataError: if that part is damaged.
        """
        path = self.path / TRAINING_DISTRIBUTION
        return _read_json(path) if path.is_file() else None

    @property
    def recalibration(self) -> dict | None:
        """Return how the model was adapted to a cohort, None if it was not.

        Raises:
            DataError: if that part is damaged.
        """
        path = self.path / RECALIBRATION
        return _read_json(path) if path.is_file() else None

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
            DataError: if a weight file does not fit the network that the bundle describes.
        """
        from safetensors.torch import load_file  # torch is loaded here, by the first prediction, and not before

        from ..network import PCRNet

        networks = []
        for fold in self.folds:
            try:
                network = PCRNet(**self.settings.network)  # type: ignore[arg-type]
                network.load_state_dict(load_file(fold))
            except DataError:
                raise
            except (RuntimeError, TypeError, ValueError) as error:
                reason = str(error).strip().splitlines()[0]
                raise DataError(f"{fold}: does not fit the network of this bundle ({reason}); get it again") from None
            networks.append(network.eval().to(device))
        return networks


def model_folders() -> list[Path]:
    """Return the folders that models ship in: inside the installed package, and in the repository."""
    here = Path(__file__).resolve().parents[1]
    return [root for root in (here / "Models", here.parents[1] / "Resources" / "Models") if root.is_dir()]


def bundled_models() -> dict[str, Path]:
    """Return name and folder of the models that ship."""
    return {
        folder.name: folder
        for root in model_folders()
        for folder in sorted(root.iterdir())
        if (folder / METADATA).is_file()
    }


def find_bundle(name: str | Path) -> Path:
    """Return the folder of a model: a bundle, the bundle of a training run, or a bundled model of that name.

    Raises:
        DataError: if it is none of these.
    """
    bundled = bundled_models()
    for folder in (Path(name), Path(name) / "bundle"):
        if (folder / METADATA).is_file():
            return folder
    if str(name) in bundled:
        return bundled[str(name)]
    if Path(name).is_dir():
        return Path(name)
    raise DataError(f"{name}: no such model; give a bundle folder or one of {', '.join(bundled)}")


def load_bundle(path: Path) -> Bundle:
    """Read and verify a bundle.

    Raises:
        DataError: if a file is missing, changed or of a different format.
    """
    checksum = verify_bundle(path)
    metadata, inference = _read_json(path / METADATA), _read_json(path / INFERENCE)
    try:
        if metadata["breastpcr_format"] != FORMAT:
            raise DataError(
                f"{path}: bundle format must be {FORMAT}, got {metadata['breastpcr_format']}; update BreastPCR"
            )
        check_backbone(inference["network"].get("backbone", OWN), str(path))
        bundle = Bundle(
            path=path,
            card=ModelCard(**metadata["card"]),
            schema=ClinicalSchema.from_json(metadata["clinical_schema"]),
            settings=settings_from_json(inference),
            checksum=checksum,
        )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a BreastPCR bundle ({error}); get it again from where it came from") from None
    if not bundle.folds:
        raise DataError(f"{path}: has no weights in models/*.safetensors; get it again from where it came from")
    return bundle


def verify_bundle(path: Path) -> str:
    """Compare every file with its checksum.

    Returns:
        SHA-256 of the list of checksums, which stands for the whole bundle.

    Raises:
        DataError: naming the file that is missing, changed or not listed.
    """
    if not (path / CHECKSUMS).is_file():
        raise DataError(f"{path}: not a model bundle, it has no {CHECKSUMS}; give a folder made by pcr train")
    expected = _read_json(path / CHECKSUMS)
    found = _checksums(path)
    for name in sorted(set(expected) | set(found)):
        if expected.get(name) != found.get(name):
            what = "is missing" if name not in found else "was changed" if name in expected else "does not belong to it"
            raise DataError(f"{path}: {name} {what}; the bundle is damaged, get it again from where it came from")
    return hashlib.sha256((path / CHECKSUMS).read_bytes()).hexdigest()


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
        training_patients: hashes of the identifiers trained on; trying all identifiers of a scheme reveals these.
        more: optional parts, `TRAINING_DISTRIBUTION` or `RECALIBRATION`, to their plain values.

    Raises:
        DataError: if it cannot be written.
    """
    from safetensors.torch import save_file

    with whole_folder(path) as folder:
        for sub in ("configs", "models", "docs"):
            (folder / sub).mkdir()
        write_json(metadata_to_json(card, schema, settings.grid), folder / METADATA)
        write_json(settings_to_json(settings), folder / INFERENCE)
        if training_images:
            known = {"fingerprints": sorted(training_images), "patients": sorted(training_patients)}
            write_json(known, folder / TRAINING_IMAGES)
        for name, content in more.items():
            write_json(content, folder / name)
        (folder / README).write_text(readme, encoding="utf-8")
        for k, state in enumerate(weights):
            save_file(
                {name: tensor.contiguous() for name, tensor in state.items()}, folder / f"models/fold_{k}.safetensors"
            )
        write_json(_checksums(folder), folder / CHECKSUMS)


def export_bundle(path: Path, archive: Path) -> None:
    """Pack a verified bundle into a zip file to hand on.

    Raises:
        DataError: if the bundle is damaged or the file cannot be written.
    """
    verify_bundle(path)
    part = archive.with_name(f".{archive.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as file:
            for name in [*_checksums(path), CHECKSUMS]:
                file.write(path / name, f"{archive.stem}/{name}")
        part.replace(archive)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"{archive}: cannot be written ({error.strerror}); choose another place") from None


def _checksums(path: Path) -> dict[str, str]:
    """Return SHA-256 of every file of a bundle except the list itself, by relative name; hidden files do not count."""
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return {
        name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if (name := file.relative_to(path).as_posix()) != CHECKSUMS
    }


def _read_json(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error}); the bundle is damaged, get it again") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: must hold a JSON object; the bundle is damaged, get it again")
    return content
