"""What the source of an exam says about it, to compare visits. What names the patient is never shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..lesion.body import Side


@dataclass(frozen=True)
class ExamFacts:
    """Facts of one exam; None or empty if the source does not have them, as files without DICOM headers.

    Args:
        patient_id: identifier of the patient; only compared.
        birth_date: of the patient, YYYYMMDD; only compared.
        series: UID of the series of the early phase; only compared.
        side: of the breast, if the headers name one.
        phases: number of phases of the dynamic acquisition.
        manufacturer: of the scanner, in capitals.
        field_strength: tesla.
        fat_suppressed: True if the phases are.
    """

    patient_id: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    series: str = field(default="", repr=False)
    side: Side | None = None
    phases: int | None = None
    manufacturer: str = ""
    field_strength: float | None = None
    fat_suppressed: bool | None = None
