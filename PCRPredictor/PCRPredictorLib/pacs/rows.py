"""Studies as rows of a table, for command, page and panel; without the patient unless that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .study import Study

COLUMNS = ("date", "study", "modalities", "series", "breast_dce", "segmentation", "predicted", "description")
OF_PATIENT = ("patient_id", "patient_name")


def rows_of(studies: Iterable[Study], show_patient: bool = False) -> list[dict[str, object]]:
    """Return a row of plain values per study, see `COLUMNS` and `OF_PATIENT`.

    Args:
        studies: with their series.
        show_patient: also name the patient.
    """
    return [_row(study, show_patient) for study in studies]


def columns(show_patient: bool = False) -> Sequence[str]:
    """Return the columns of `rows_of`."""
    return (*OF_PATIENT, *COLUMNS) if show_patient else COLUMNS


def _row(study: Study, show_patient: bool) -> dict[str, object]:
    kinds = study.modalities or tuple(dict.fromkeys(one.modality for one in study.series if one.modality))
    values: dict[str, object] = {
        "patient_id": study.patient_id,
        "patient_name": study.patient_name,
        "date": study.date,
        "study": study.uid,
        "modalities": " ".join(kinds),
        "series": len(study.series) or study.series_count,
        "breast_dce": study.looks_like_dce,
        "segmentation": len(study.segmentations),
        "predicted": study.is_predicted,
        "description": study.description if show_patient else study.without_patient(study.description),
    }
    return {name: values[name] for name in columns(show_patient)}
