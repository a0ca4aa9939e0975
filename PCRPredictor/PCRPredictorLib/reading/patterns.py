"""File names with a placeholder for the patient, as `cohort.json` gives them, and the files on disk that they name.

"scans/Pat {patient_id}/T1_pre.*" names one image in every folder "Pat ...". A star stands for any text within a name,
and names are compared without case. Of several files that match, those count that are images or DICOM.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from ..answers import identifier_key
from ..dicom.segmentation import is_dicom
from ..errors import DataError
from ..files.names import cannot_list, is_hidden
from .images import FORMATS

PATIENT = "{patient_id}"
_FIELD = re.compile(r"\{[^{}]*\}")


def names_only_patient(patterns: Sequence[str]) -> bool:
    """Return True if every pattern names the patient, and no other column: the files can be found without a table."""
    return bool(patterns) and all(set(_FIELD.findall(pattern)) == {PATIENT} for pattern in patterns)


class PatternFiles:
    """Find files of one cohort by patterns; each folder is listed once.

    Args:
        cohort: folder in which the patterns start.
        check: called with each file that is found, and its pattern; it raises DataError if the file must not be used.

    Attributes:
        problems: why the files of a patient cannot be used, by `identifier_key`.
    """

    def __init__(self, cohort: Path, check: Callable[[Path, str], None]) -> None:
        self._cohort, self._check = cohort, check
        self._listed: dict[Path, list[Path]] = {}
        self.problems: dict[str, str] = {}

    def by_patient(self, pattern: str) -> dict[str, list[Path]]:
        """Return the files that a pattern names, by the text that its placeholder stands for."""
        found = defaultdict(list)
        for file, patient in self._walk(pattern):
            found[patient].append(file)
        return {patient: _images_of(files) for patient, files in found.items()}

    def matching(self, pattern: str) -> list[Path]:
        """Return the files that a pattern without placeholders names.

        Raises:
            DataError: if one of them must not be used, or a folder cannot be read.
        """
        found = [file for file, _ in self._walk(pattern)]
        if (problem := self.problems.pop("", None)) is not None:
            raise DataError(problem)
        return _images_of(found)

    def _walk(self, pattern: str) -> list[tuple[Path, str]]:
        """Return files with the patient's identifier, "" if the pattern does not name the patient."""
        places, parts = [(self._cohort, "")], [part for part in pattern.split("/") if part not in ("", ".")]
        for k, part in enumerate(parts):
            is_kind = Path.is_file if k == len(parts) - 1 else Path.is_dir
            places = [
                (path, found.groupdict().get("patient", patient))
                for folder, patient in places
                for path in self._list(folder, patient)
                if (found := _match(part, path.name, patient)) and is_kind(path)
            ]
        for path, patient in places:
            try:
                self._check(path, pattern)
            except DataError as error:
                self.problems.setdefault(identifier_key(patient), str(error))
        return places

    def _list(self, folder: Path, patient: str) -> list[Path]:
        if folder not in self._listed:
            try:
                self._listed[folder] = sorted(path for path in folder.iterdir() if not is_hidden(path.name))
            except OSError as error:
                self._listed[folder] = []
                self.problems.setdefault(identifier_key(patient), str(cannot_list(folder, error)))
        return self._listed[folder]


def _match(part: str, name: str, patient: str) -> re.Match | None:
    """Compare one folder's or file's name with its part of a pattern; `patient` is "" as long as it is not known."""
    first, *rest = (".*".join(map(re.escape, text.split("*"))) for text in part.split(PATIENT))
    again = re.escape(patient) if patient else "(?P=patient)"
    for k, text in enumerate(rest):
        first += (again if k or patient else "(?P<patient>.+?)") + text
    return re.fullmatch(first, name, re.IGNORECASE)


def _images_of(files: Sequence[Path]) -> list[Path]:
    """Leave out sidecar files, such as the JSON beside an image; all stay if none is an image."""
    images = [file for file in files if file.name.lower().endswith(tuple(FORMATS)) or is_dicom(file)]
    return images or list(files)
