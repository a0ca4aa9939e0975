"""The report of a prediction: one HTML file, to be read and printed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..curves.summary import LesionKinetics
from ..errors import Notice
from ..exam import Exam
from ..formatting import format_beside, format_percent
from ..prediction import LesionPrediction, Prediction
from .bars import describe_image_evidence, make_bars
from .display import describe_offset
from .effect_words import describe_interventions
from .measured import describe_measurements
from .rendering import render
from .source_words import describe_left_aside, describe_phases
from .trust_words import describe_calibration, describe_training_briefly, describe_training_share
from .wording import (
    bears_on_result,
    describe_base_rate,
    describe_decision,
    describe_image_alone,
    describe_model,
    describe_probability,
    describe_side,
)

_FEW_LINES = 4  # of warnings that leave room for the picture on the first page, A4
_LINE = 110  # characters of a warning in a printed line


def render_report(
    exam: Exam,
    prediction: Prediction,
    overlay_png: bytes,
    *,
    show_patient_id: bool = False,
    kinetics: LesionKinetics | None = None,
) -> str:
    """Return the report of one prediction as HTML.

    Args:
        exam: of the prediction.
        overlay_png: the picture that `overlay.save_overlay` writes.
        kinetics: of the tumour, drawn as a curve.
        show_patient_id: name the patient. Otherwise the report shows nothing of the provenance but the phase times.
    """
    provenance = exam.provenance
    notices = [notice for notice in prediction.notices if notice not in prediction.reasons_against]
    doubts = [notice for notice in notices if bears_on_result(notice)]
    return render(
        "prediction.html.j2",
        title="Predicted response to neoadjuvant therapy",
        result_name=prediction.name,
        patient=(provenance.patient_id or "without an identifier") if show_patient_id else "",
        prediction=prediction,
        picture=overlay_png,
        decision=describe_decision(prediction),
        probability=describe_probability(prediction),
        threshold=format_beside(prediction.probability, prediction.operating_point.threshold)[1],
        beside=describe_base_rate(prediction),
        base_rate=describe_training_share(prediction.model),
        calibration=describe_calibration(prediction.model),
        trained_on=describe_training_briefly(prediction.model),
        doubts=doubts,
        notices=[notice for notice in notices if notice not in doubts],
        picture_first=_lines_of(notices) <= _FEW_LINES,
        model_line=describe_model(prediction.model),
        image_alone=describe_image_alone(prediction),
        matters=describe_interventions(prediction),
        measured={**describe_measurements(prediction.measurements), **_measured(prediction)},
        bars=make_bars(prediction.evidence) if prediction.evidence else None,
        image_evidence=describe_image_evidence(prediction.evidence) if prediction.evidence else "",
        lesions=[_lesion(lesion) for lesion in prediction.lesions],
        image=describe_image(exam),
        kinetics=_kinetics(kinetics),
        curve=kinetics.chart(ink="#2b333d") if kinetics is not None else "",
        model=_model(prediction),
    )


def _lines_of(notices: Iterable[Notice]) -> int:
    """Return how many lines these warnings take in print."""
    return sum(-(-len(notice.message) // _LINE) for notice in notices)


def _measured(prediction: Prediction) -> dict[str, str]:
    tumour, attention = prediction.tumour, prediction.attention_summary
    early, late = _signed(tumour.early_enhancement), _signed(tumour.late_enhancement)
    where = "inside" if attention.peak_in_tumour else "outside"
    offset = describe_offset(np.subtract(attention.peak, tumour.centre))
    return {
        "Enhancement": f"early {early}, late {late} over pre-contrast",
        "Tumour centre": describe_position(tumour.centre),
        "Attention in tumour": f"{format_percent(attention.in_tumour)} of all attention is inside the mask",
        "Highest attention": f"{where} the tumour, {offset + ' of' if offset else 'at'} its centre",
        "Its position": describe_position(attention.peak),
    }


def _kinetics(kinetics: LesionKinetics | None) -> dict[str, str]:
    if kinetics is None:
        return {}
    notices = " ".join(notice.message for notice in kinetics.phases.notices)
    return kinetics.describe() | ({"Not in the curve": notices} if notices else {})


def _signed(share: float) -> str:
    return f"{100 * share:+.0f} %"


def _lesion(lesion: LesionPrediction) -> dict[str, str]:
    """Return the row of one of several lesions."""
    found = lesion.prediction
    measured = found.measurements
    return {
        "Lesion": lesion.name,
        "Side": measured.side or "not known" if measured is not None else "not known",
        "Volume": f"{found.tumour.volume_ml:.1f} ml",
        "Probability": describe_probability(found),
        "Decision": "none, see its warnings" if found.reasons_against else describe_side(found),
        "Attention inside": format_percent(found.attention_summary.in_tumour),
        "Warnings": " ".join(notice.message for notice in found.notices) or "none",
    }


def describe_position(point: tuple[float, float, float]) -> str:
    """Return an LPS position in mm in words, relative to the scanner's origin."""
    return f"{describe_offset(point) or '0 mm'} in scanner coordinates"


def describe_image(exam: Exam) -> dict[str, str]:
    """Return lattice and phases of an exam by name, and what of its source was not used."""
    rows = {
        "Voxels": " × ".join(str(n) for n in exam.geometry.size),
        "Voxel size": " × ".join(f"{s:.3g}" for s in exam.geometry.spacing) + " mm",
    }
    if phases := describe_phases(exam.provenance):
        rows["Phases"] = phases
    if exam.provenance.source == "dicom" or exam.provenance.left_aside:
        rows["Not used"] = "\n".join(describe_left_aside(exam.provenance.left_aside)) or "nothing"
    return rows


def _model(prediction: Prediction) -> dict[str, str]:
    model = prediction.model
    return {
        "Name and version": f"{model.name} {model.version}",
        "Trained on": model.training_data,
        "Intended use": model.intended_use,
        "Licence": model.licence,
        "Checksum": f"SHA-256 {model.checksum[:16]}",
        "Software": ", ".join(f"{name} {version}" for name, version in prediction.versions.items()),
    }
