"""One patient and one study: which differences between headers mean a different one, and which a de-identifier made.

PatientID decides. If it is missing, names are compared as DICOM defines them, without case, accents and empty
components, and birth dates. Source: DICOM PS3.5 6.2.1 (person names) and PS3.3 C.7.1.1, C.7.2.1, C.7.4.1.
"""

import datetime
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pydicom
from pydicom.tag import Tag

from ..errors import DataError, Notice
from .headers import stored_values, tag_text, tag_words
from .phases import DicomPhase

_NAMES = ("PatientID", "PatientName", "PatientBirthDate")
_PATIENT = [Tag(tag) for tag in (*_NAMES, "SpecificCharacterSet")]


class SeveralStudies(DataError):
    """Report a folder with several studies of one patient, which can be told apart and asked about.

    Args:
        folder: with their files.
        sentence: what is wrong and what to do.
    """

    def __init__(self, folder: Path, sentence: str) -> None:
        super().__init__(sentence)
        self.folder = folder


def check_patient(folder: Path, headers: Iterable[pydicom.Dataset]) -> list[Notice]:
    """Return a warning if one patient's name or birth date is written in different ways.

    Raises:
        DataError: if the headers are of more than one patient.
    """
    distinct = {stored_values(header, _PATIENT): header for header in headers}
    people = {
        tuple(tag_text(h, tag) for tag in ("PatientID", "PatientName", "PatientBirthDate")) for h in distinct.values()
    }
    identifiers = {identifier for identifier, _, _ in people} - {""}
    names = {plain for _, name, _ in people if (plain := plain_name(name))}
    born = {date for _, _, date in people} - {""}
    differing = [
        word
        for word, values in (("PatientID", identifiers), ("PatientName", names), ("PatientBirthDate", born))
        if len(values) > 1
    ]
    one_identifier = len(identifiers) == 1 and all(identifier for identifier, _, _ in people)
    if "PatientID" in differing or (differing and not one_identifier) or len(differing) == 2:
        raise DataError(
            f"{folder}: holds more than one patient ({' and '.join(differing)} differ); give a folder with the files "
            "of one patient"
        )
    if not differing:
        return []
    message = f"{differing[0]} differs between the files, but PatientID is the same: they were read as one patient."
    return [Notice("patient_differs", message)]


def check_studies(folder: Path, acquisitions: Iterable[Sequence[DicomPhase]]) -> None:
    """Refuse baseline and follow-up of one patient: both are complete, and more phases do not mean the right one.

    Raises:
        SeveralStudies: if several studies have three phases or more.
    """
    studies = defaultdict(list)
    for same in acquisitions:
        for phase in same:
            studies[tag_text(phase.first, "StudyInstanceUID")].append(phase)
    if len(complete := [found for found in studies.values() if len(found) >= 3]) > 1:
        raise SeveralStudies(folder, _several_studies(folder, complete, "a dynamic acquisition each"))


def warn_of_text(phases: Iterable[DicomPhase]) -> list[Notice]:
    """Return a warning if images say that text is burned into them: every picture that is made of them shows it."""
    burned = {phase.series: None for phase in phases if "YES" in tag_words(phase.first, "BurnedInAnnotation")}
    if not burned:
        return []
    return [
        Notice(
            "burned_in_text",
            f"Text is burned into the images of {' and '.join(burned)} (Burned In Annotation). It may name the "
            "patient, and pictures and scenes of the result show it; look at them before you pass them on.",
        )
    ]


def check_visit(folder: Path, phases: Sequence[DicomPhase]) -> list[Notice]:
    """Return warnings if the phases of one exam have several study UIDs or dates, as some de-identifiers write.

    Raises:
        SeveralStudies: if they are phases of several visits.
    """
    visits, days = defaultdict(list), defaultdict(list)
    for phase in phases:
        visits[tag_text(phase.first, "FrameOfReferenceUID")].append(phase)
        days[_date(phase.first)].append(phase)
    apart = _days_apart(phases)
    for groups in (visits, days if apart else {}):
        if len(complete := [found for found in groups.values() if len(found) >= 3]) > 1:
            raise SeveralStudies(folder, _several_studies(folder, complete))
    studies = defaultdict(list)
    for phase in phases:
        studies[tag_text(phase.first, "StudyInstanceUID")].append(phase)
    if not all(_same_visit(phases[0].first, found[0].first) for found in studies.values()):
        raise SeveralStudies(folder, _several_studies(folder, list(studies.values())))
    found = []
    if len(studies) > 1:
        message = f"The phases have {len(studies)} different study UIDs but belong together: read as one study."
        found.append(Notice("study_differs", message))
    if apart:
        message = "The dates of the phases differ by days, as after de-identification; only times of day were used."
        found.append(Notice("dates_differ", message))
    return found


def _several_studies(
    folder: Path, studies: Sequence[Sequence[DicomPhase]], what: str = "phases of one acquisition"
) -> str:
    named = [f"{len(found)} phase{'s' * (len(found) > 1)} from {found[0].series}" for found in studies]
    names = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    return (
        f"{folder}: holds {len(studies)} studies with {what} ({names}); give a folder with one study, or follow the "
        "patient over all of them with pcr follow --dicom"
    )


def _days_apart(phases: Sequence[DicomPhase]) -> bool:
    """Return True if dates differ by more than a night, which also happens when series are de-identified one by one."""
    dates = [date for phase in phases if (date := _date(phase.first)) is not None]
    return bool(dates) and max(dates) - min(dates) > datetime.timedelta(days=1)


def _date(header: pydicom.Dataset) -> datetime.date | None:
    text = (tag_text(header, "AcquisitionDate") or tag_text(header, "AcquisitionDateTime")[:8]).replace(".", "")
    try:
        return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _same_visit(one: pydicom.Dataset, other: pydicom.Dataset) -> bool:
    """Return True if two headers are of one study, or a de-identifier gave one study several UIDs."""
    if tag_text(one, "StudyInstanceUID") == tag_text(other, "StudyInstanceUID"):
        return True
    frames = [tag_text(header, "FrameOfReferenceUID") for header in (one, other)]
    if all(frames):
        return frames[0] == frames[1]
    moments = [(tag_text(header, "StudyDate"), tag_text(header, "StudyTime")) for header in (one, other)]
    return moments[0] == moments[1] and all(moments[0])


def plain_name(name: str) -> str:
    """Return a person's name for comparison: first group of letters, without accents, case and empty components.

    >>> plain_name("Müller^Änne^^^") == plain_name("MULLER^Anne")
    True
    """
    letters = unicodedata.normalize("NFKD", name.split("=")[0])
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    components = [" ".join(part.replace(",", " ").split()).casefold() for part in plain.split("^")]
    return "^".join(components).rstrip("^")
