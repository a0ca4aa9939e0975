"""A cohort that goes away while it is read, as on a network drive: no result of the patients before is worth having."""

import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import DataError
from ..formatting import count


def common_folder(files: Iterable[Path]) -> Path | None:
    """Return the folder that holds all files, directly or not; None of no files."""
    folders = [str(file.absolute().parent) for file in files]
    try:
        return Path(os.path.commonpath(folders)) if folders else None
    except ValueError:  # on several drives of Windows
        return None


def is_gone(folder: Path) -> bool:
    """Return True if a folder is not there, or is empty, as the place of a drive is that is no longer mounted."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except NotADirectoryError:  # a file with a whole exam
        return False
    except OSError:
        return True


def refuse_vanished(folder: Path | None, done: int, again: str = "give the call again") -> None:
    """Refuse to go on if a folder that is read `is_gone`.

    Args:
        folder: with the patients; None to accept.
        done: patients that were read before.
        again: what to do when it is back.

    Raises:
        DataError: if it is gone.
    """
    if folder is not None and is_gone(folder):
        raise DataError(
            f"{folder}: is not there any more, after {count(done, 'patient')}; see that the drive or network is back, "
            f"then {again}"
        )
