"""A model as one file, to hand on."""

import zipfile
from pathlib import Path

from ..writing import whole_file
from .folder import CHECKSUMS, checksums, verify_bundle


def export_bundle(path: Path, archive: Path) -> None:
    """Pack a verified bundle into a zip file to hand on.

    Raises:
        DataError: if the bundle is damaged or the file cannot be written.
    """
    verify_bundle(path)
    with whole_file(archive) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as file:
        for name in [*checksums(path), CHECKSUMS]:
            file.write(path / name, f"{archive.stem}/{name}")
