"""Every exam that can be opened: files, DICOM, a patient of a cohort. Each is read when it is opened.

A further kind is one subclass of `Source` and its entry in `KINDS`: `pcr predict`, `pcr view` and the panels find it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from ..clinical import ClinicalSchema
from ..dicom.exam import read_dicom_exam
from ..dicom.segmentation import is_dicom
from ..errors import DataError
from ..exam import PHASE_NAMES, Exam, LeftAside
from ..files.names import does_not_exist, files_in, stem_of, walk_files
from .clinical import read_clinical
from .cohort import CohortPatient, find_patients, read_patient
from .images import FORMATS, read_exam, read_series, times_beside
from .labels import LABEL, parse_labels
from .mask import Labels, add_mask
from .series import MASK_NAMES, Series, find_series, given_series

_SEARCHED = 200  # files of a folder that are searched for DICOM


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """An exam that can be opened. It is sent to other processes, so it holds paths and plain values only.

    Args:
        name: shown in lists.
        mask: file of the tumour mask, or None for the one that the source has, if any.
        labels: of the tumours in a mask of several, see `read_masks`.
        clinical: values by name; they replace those that the source has.
        pick: positions of pre, early and late among the phases found, from 0; see `pick_phases` for the default.
    """

    name: str
    mask: Path | None = None
    labels: tuple[int | str, ...] = ()
    clinical: Mapping[str, object] = field(default_factory=dict)
    pick: tuple[int, ...] = ()

    @classmethod
    @abstractmethod
    def find(cls, place: Path) -> Sequence[Source]:
        """Return the exams of this kind in a folder or file; empty if it is of a different kind."""

    @abstractmethod
    def read_source(self) -> Exam:
        """Return the content of the source: phases, and perhaps mask and clinical variables; raise DataError."""

    def read(self) -> Exam:
        """Return the exam with mask and clinical values added, without a mask if there is none; raise DataError."""
        exam = self.read_source().with_clinical(self.clinical)
        exam = exam if self.mask is None else add_mask(exam, self.mask, self.labels)
        return replace(exam, provenance=replace(exam.provenance, inputs=self.inputs))

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Return the files and folders that are read, as far as they are known."""
        return () if self.mask is None else (self.mask,)

    @property
    def outcome(self) -> int | None:
        """Return the outcome, 1 for pCR and 0 for none; None if the source has none. No exam holds it."""
        return None

    def without_mask(self) -> Source:
        """Return the source without a mask of its own, as another one replaces it."""
        return replace(self, mask=None, labels=())

    def with_overrides(
        self, mask: Path | None, clinical: Mapping[str, object], labels: Labels = (), pick: Sequence[int] = ()
    ) -> Source:
        """Return this source with a mask, its labels, clinical values and phases of the user."""
        return replace(
            self,
            mask=mask or self.mask,
            labels=tuple(labels) or self.labels,
            clinical={**self.clinical, **clinical},
            pick=tuple(pick) or self.pick,
        )


class Sources(list[Source]):
    """The exams that were found in some places.

    Attributes:
        said: sentences about what was guessed or left aside, such as rows of a cohort's table without images.
    """

    def __init__(self, sources: Iterable[Source] = (), said: Iterable[str] = ()) -> None:
        super().__init__(sources)
        self.said = tuple(said)


@dataclass(frozen=True, kw_only=True)
class PatientSource(Source):
    """A patient of a cohort, named by the identifier: the user must recognise it in a list."""

    patient: CohortPatient

    @classmethod
    def find(cls, place: Path) -> Sequence[Source]:
        """Return every patient if the folder has a `cohort.json` or a folder `images`."""
        names = {path.name.lower() for path in place.iterdir()} if place.is_dir() else set()
        if names.isdisjoint(("cohort.json", "images")):
            return []
        said: list[str] = []
        found = find_patients(place, lambda sentence: said.append(sentence.replace(f"{place}{os.sep}", "")))
        return Sources([cls(name=patient.patient_id, patient=patient) for patient in found], said)

    def read_source(self) -> Exam:
        """Read the phases, the mask if there is one, and the table's row."""
        patient = replace(self.patient, pick=self.pick) if self.pick else self.patient
        patient = replace(patient, labels=self.labels) if self.labels else patient
        return read_patient(patient if self.mask is None else replace(patient, mask=None), need_mask=False)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Return the phases, and the mask that is used."""
        own = () if self.patient.mask is None else (self.patient.mask,)
        return (*self.patient.phases, *(super().inputs or own))

    @property
    def outcome(self) -> int | None:
        """Return the label of the cohort's table; None if there is none, or it is not clear."""
        return parse_labels([self.patient.row.get(LABEL, "")])[0][0]

    def without_mask(self) -> Source:
        """Return the patient without a mask."""
        patient = replace(self.patient, mask=None, labels=())
        return replace(self, mask=None, labels=(), patient=patient)


@dataclass(frozen=True, kw_only=True)
class FilesSource(Source):
    """Three phases as files: pre-contrast, early, late."""

    phases: tuple[Path, ...]

    @classmethod
    def find(cls, place: Path) -> Sequence[Source]:
        """Return the exam in a folder that `pcr demo` wrote, or in its folder `exam`."""
        for folder in (place, place / "exam"):
            phases = [_find_image(folder, (name,)) for name in PHASE_NAMES]
            if None not in phases:
                file = folder / "clinical.json"
                clinical = read_clinical(file) if file.is_file() else {}
                mask = _find_image(folder, MASK_NAMES)
                found = tuple(phase for phase in phases if phase)
                return [cls(name=place.resolve().name, phases=found, mask=mask, clinical=clinical)]
        return []

    def read_source(self) -> Exam:
        """Read the files, and their times if these lie beside them."""
        times, notices = times_beside(self.phases)
        exam = read_series(self.phases, self.pick, times) if self.pick or times else read_exam(self.phases)
        return replace(exam, provenance=replace(exam.provenance, notices=(*exam.provenance.notices, *notices)))

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Return the phases and the mask."""
        return (*self.phases, *super().inputs)


@dataclass(frozen=True, kw_only=True)
class SeriesSource(Source):
    """One file with all phases, or one file for each, of which pre, early and late are picked."""

    files: tuple[Path, ...]
    left_aside: tuple[LeftAside, ...] = ()

    @classmethod
    def find(cls, place: Path) -> Sequence[Source]:
        """Return the exam of a file with several volumes, or of a folder with one such file or with ordered phases."""
        found = find_series(place)
        return [cls.of(found, place)] if found else []

    @classmethod
    def of(cls, series: Series, place: Path) -> SeriesSource:
        """Return the source of files that were found."""
        name = place.resolve().name if place.is_dir() else stem_of(place.name)
        return cls(name=name, files=series.files, mask=series.mask, left_aside=series.left_aside)

    def read_source(self) -> Exam:
        """Read the phases that are picked."""
        exam = read_series(self.files, self.pick)
        return replace(exam, provenance=replace(exam.provenance, left_aside=self.left_aside))

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Return the files and the mask."""
        return (*self.files, *super().inputs)


@dataclass(frozen=True, kw_only=True)
class DicomSource(Source):
    """A folder of DICOM files; of several studies in it, the files of one."""

    folder: Path
    files: tuple[Path, ...] = ()

    @classmethod
    def find(cls, place: Path) -> Sequence[Source]:
        """Return the exam in a folder if there is DICOM among its first files."""
        files = islice(walk_files(place), _SEARCHED)
        return [cls(name=place.resolve().name, folder=place)] if any(map(is_dicom, files)) else []

    def read_source(self) -> Exam:
        """Read the folder."""
        return read_dicom_exam(self.folder, self.pick, self.files)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Return the folder and the mask."""
        return (self.folder, *super().inputs)


KINDS: list[type[Source]] = [PatientSource, FilesSource, SeriesSource, DicomSource]  # in order of precedence


def find_sources(places: Sequence[Path]) -> Sources:
    """Return the exams in folders or files, each of the first of `KINDS` that finds any.

    Raises:
        DataError: if a place does not exist or holds no exam.
    """
    found = [_find_in(Path(place)) for place in places]
    said = [sentence for sources in found if isinstance(sources, Sources) for sentence in sources.said]
    return Sources([source for sources in found for source in sources], said)


def mark_doubts(sources: Sequence[Source], schema: ClinicalSchema) -> list[Source]:
    """Return the sources; patients whose clinical values cannot be read beside the others' cannot be read then."""
    rows = [source.patient.row if isinstance(source, PatientSource) else {} for source in sources]
    doubts = schema.find_doubts(rows)
    return [
        replace(source, patient=replace(source.patient, problem=doubts[k]))
        if k in doubts and isinstance(source, PatientSource)
        else source
        for k, source in enumerate(sources)
    ]


def only_source(place: Path) -> Source:
    """Return the exam in a folder or file.

    Raises:
        DataError: if it holds no exam, or several.
    """
    found = find_sources([place])
    if len(found) > 1:
        raise DataError(
            f"{place}: holds {len(found)} exams; give the folder of one, or predict all of them as a cohort"
        )
    return found[0]


def find_source(place: Path, name: str) -> Source:
    """Return the exam of that name among those in a folder, such as a patient of a cohort.

    Raises:
        DataError: if there is no such exam.
    """
    for source in find_sources([place]):
        if source.name == name:
            return source
    raise DataError(f"{name}: is not in {place} any more; check the folder again")


def given_source(
    phases: Sequence[Path], dicom: Path | None = None, pick: Sequence[int] = (), series: Sequence[Path] = ()
) -> Source:
    """Return the exam that the user named.

    Args:
        phases: three files, or empty.
        dicom: folder of DICOM files.
        pick: positions of pre, early and late among the phases of `dicom` or `series`, from 0.
        series: one file with all phases, a folder of phases, or several files in order of time.

    Raises:
        DataError: if there are not three phases, or their order cannot be told.
    """
    if dicom is not None:
        return DicomSource(name=dicom.resolve().name, folder=dicom, pick=tuple(pick))
    if series:
        named = FilesSource.find(series[0]) if len(series) == 1 and series[0].is_dir() else []
        found = next(iter(named), None) or SeriesSource.of(given_series(series), series[0])
        return replace(found, pick=tuple(pick))
    if len(phases) != len(PHASE_NAMES):
        raise DataError(f"an exam must be three files (pre-contrast, early, late), got {len(phases)}; give them all")
    return FilesSource(name=phases[0].resolve().parent.name, phases=tuple(phases))


def _find_in(place: Path) -> Sequence[Source]:
    if not place.exists():
        raise DataError(does_not_exist(place))
    if found := next(filter(None, (kind.find(place) for kind in KINDS)), None):
        return found
    if not place.is_dir():
        raise DataError(f"{place}: not a file with all phases; give one, a folder with an exam, or a file per phase")
    raise DataError(
        f"{place}: holds no exam; give a folder with pre, early and late (and tumour) as {', '.join(FORMATS)}, "
        "a DICOM folder, or a cohort"
    )


def _find_image(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the image of one of these names, in any case and with any ending that is read."""
    wanted = {name + ending for name in names for ending in FORMATS}
    return next((file for file in files_in(folder) if file.name.lower() in wanted), None)
