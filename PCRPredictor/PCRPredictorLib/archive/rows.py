"""The rows that a patient has in `predictions.csv`: one, or one per tumour."""

from ..evidence import KINDS
from ..prediction import Prediction
from ..report.wording import describe_model

COHORT_COLUMNS = (
    "patient_id",
    "probability",
    "mask_low",
    "mask_high",
    "threshold",
    "decision",
    "decision_withheld",
    "base_rate",
    "attention_in_tumour",
    "warnings",
    "model",
    "result",
    "error",
)
TERM = "evidence_"  # begins the name of a column with a term of the evidence
LESION = "lesion"  # a further column if any patient has several tumours
EFFECTS = ("points_tumour_erased", "points_patch_erased", "points_background_swapped")  # if interventions were made
Row = dict[str, str]  # column to cell


def rows_of(patient: str, prediction: Prediction) -> list[Row]:
    """Return the rows of a patient.

    A patient with several tumours has a row for each, with its name in the column `lesion`. Predictions with
    interventions have the columns `EFFECTS`, in percentage points; empty without room for a patch. Each term of the
    evidence has a column in log-odds. `result` is the name that stands in the patient's report, which has no other.
    """
    each = {lesion.name: lesion.prediction for lesion in prediction.lesions}
    found = [{LESION: name, **_values(of)} for name, of in each.items()] or [_values(prediction)]
    return [{"patient_id": patient, **row, "result": prediction.name} for row in found]


def error_row(patient: str, reason: str) -> Row:
    """Return the row of a patient without a prediction."""
    return {"patient_id": patient, "error": reason}


def _values(prediction: Prediction) -> Row:
    low, high = prediction.mask_interval or (None, None)
    return {
        "probability": f"{prediction.probability:.4f}",
        "mask_low": "" if low is None else f"{low:.4f}",
        "mask_high": "" if high is None else f"{high:.4f}",
        "threshold": f"{prediction.operating_point.threshold:.4f}",
        "decision": prediction.decision or "",
        "decision_withheld": prediction.decision_withheld or "",
        "base_rate": "" if prediction.model.base_rate is None else f"{prediction.model.base_rate:.4f}",
        "attention_in_tumour": f"{prediction.attention_summary.in_tumour:.4f}",
        "warnings": " ".join(notice.code for notice in prediction.notices),
        "model": describe_model(prediction.model),
        **_effects(prediction),
        **_terms(prediction),
    }


def _terms(prediction: Prediction) -> Row:
    """Return the terms of the evidence in log-odds, in an order that is the same for all patients of a model."""
    if prediction.evidence is None:
        return {}
    terms = sorted(prediction.evidence.terms, key=lambda term: (KINDS.index(term.kind), term.name))
    return {f"{TERM}{term.name}": f"{term.log_odds:.5f}" for term in terms}


def _effects(prediction: Prediction) -> Row:
    if prediction.interventions is None:
        return {}
    found = prediction.interventions.in_points(prediction)
    means = (found.erased, *(spread and spread.mean for spread in (found.patch, found.background)))
    return {name: "" if mean is None else f"{mean:.2f}" for name, mean in zip(EFFECTS, means, strict=True)}
