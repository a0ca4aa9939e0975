"""Warnings that go with a prediction, in words for a radiologist."""

from collections.abc import Iterable, Mapping, Sequence

from ..clinical import ClinicalSchema, Clipped, Value
from ..errors import Notice
from ..evidence import TOLERANCE, Evidence
from ..exam import Exam, Provenance
from ..formatting import format_percent
from ..prediction import AttentionSummary, LesionPrediction, OperatingPoint, TumourSummary
from .card import ModelCard, TrainingRange, TrainingTimes
from .grid import plane_of
from .tumour import QUANTITIES

TINY_ML, HUGE_ML = 0.1, 300.0
WEAK_ENHANCEMENT = 0.2
LEAST_SHARE_IN_WINDOW = 0.95
LEAST_ATTENTION_IN_TUMOUR = 0.3
_PAUSE = (
    "The time since the injection is unknown: probably there was a pause before it, and the phase is a usual one; if "
    "there was none, it is too late, and probability and decision cannot be relied on."
)
_LONG_GAP = 300.0  # s from pre-contrast to the first phase after contrast; then they do not follow each other


def about_evidence(evidence: Evidence) -> Iterable[Notice]:
    """Yield a warning if bars or map do not add up to what they explain, which they must on every prediction."""
    error = max(evidence.sum_error, evidence.map_error)
    if not error <= TOLERANCE:
        text = f"The evidence does not add up to the result (difference {error:.2g} log-odds): do not rely on it."
        yield Notice("evidence_inexact", text)


def about_source(provenance: Provenance) -> Iterable[Notice]:
    """Yield warnings about the source: what was adjusted, phases that may be missing, times, a usable age."""
    yield from about_reading(provenance)
    picked = provenance.picked
    if picked is not None and provenance.phase_times is None and not picked.by_hand:
        yield Notice(
            "phase_times_unknown",
            f"The times of the phases are unknown. Phases {picked.positions} were used as pre, early and late; check "
            "them, or choose others with --pick, which counts from 0.",
        )
    if "age" in provenance.unusable:
        yield Notice("age_unusable", "The age in the DICOM headers is invalid; enter it by hand.")


def about_reading(provenance: Provenance) -> Iterable[Notice]:
    """Yield warnings about what was guessed or adjusted while reading, and what was left aside but may be a phase."""
    yield from provenance.notices
    for item in provenance.left_aside:
        if item.looks_like_phase:
            text = f"Not used, but may be a phase of this exam: {item.name}: {item.reason}."
            yield Notice("phase_left_aside", text)


def about_timing(provenance: Provenance, times: Iterable[TrainingTimes]) -> Iterable[Notice]:
    """Yield a warning if early or late was acquired at a time unlike that of the training patients.

    Args:
        provenance: of the exam.
        times: of the training patients' phases. Without them, only a gap of 300 s and more before the first phase after
            contrast is a warning, unless the time of the injection is known.
    """
    known = {each.phase: each for each in times}
    sentences = filter(None, (_about_early(provenance, known.get("early")), _about_late(provenance, known.get("late"))))
    if text := " ".join(sentences):
        after = provenance.after_injection[1]
        yield Notice("unfamiliar_timing", text, blocks_decision=after is not None and after < 0)


def _about_early(provenance: Provenance, known: TrainingTimes | None) -> str:
    if (after := provenance.after_injection[1]) is not None:
        if after < 0:
            return f"The early phase was acquired {-after:.0f} s before the injection; choose a later one."
        if known is None or after <= known.high:  # the training patients' injection came after their first phase
            return ""
        return (
            f"The early phase was acquired {after:.0f} s after the injection; in 95 % of the training patients it was "
            f"at most {known.high:.0f} s after the pre-contrast phase."
        )
    time = provenance.early_seconds
    if time is None or (time < _LONG_GAP if known is None else known.low <= time <= known.high):
        return ""
    name = "first phase after contrast" if time == provenance.first_post else "early phase"
    text = f"The {name} was acquired {time:.0f} s after the pre-contrast one"
    if known is not None:
        text += f" ({_describe_spread(known)})"
    if time <= (_LONG_GAP if known is None else known.high):
        return f"{text}."
    return f"{text}. {_PAUSE}"


def _about_late(provenance: Provenance, known: TrainingTimes | None) -> str:
    time = provenance.after_first_post[2]
    if time is None or known is None or known.low <= time <= known.high:
        return ""
    return f"The late phase was acquired {time:.0f} s after the first phase after contrast ({_describe_spread(known)})."


def _describe_spread(known: TrainingTimes) -> str:
    return f"in 9 of 10 training patients {known.low:.0f} to {known.high:.0f} s"


def about_tumour(tumour: TumourSummary, share_in_window: float, window_mm: float) -> Iterable[Notice]:
    """Yield warnings about the mask and the enhancement."""
    if tumour.volume_ml < TINY_ML:
        yield Notice("mask_tiny", f"The tumour mask is tiny ({tumour.volume_ml:.2g} ml); check the segmentation.")
    if tumour.volume_ml > HUGE_ML:
        yield Notice("mask_huge", f"The tumour mask is very large ({tumour.volume_ml:.0f} ml); check the segmentation.")
    if share_in_window < LEAST_SHARE_IN_WINDOW:
        yield Notice(
            "mask_outside_window",
            f"The model reads {window_mm:.0f} mm around the tumour's centre; "
            f"only {format_percent(share_in_window)} of the mask is inside.",
            blocks_decision=True,
        )
    if tumour.early_enhancement < WEAK_ENHANCEMENT:
        yield Notice(
            "weak_enhancement",
            f"The tumour hardly enhances in the early phase ({100 * tumour.early_enhancement:+.0f} %); "
            "check the order of the phases and the mask.",
            blocks_decision=True,
        )


def about_lesions(each: Sequence[LesionPrediction], overlap_ml: float) -> Iterable[Notice]:
    """Yield warnings that the values of an exam with several tumours are those of the largest, and about overlap."""
    index, *others = each
    rest = ", ".join(f"{lesion.name} {format_percent(lesion.prediction.probability)}" for lesion in others)
    yield Notice(
        "several_lesions",
        f"{len(each)} lesions were predicted. Probability, attention and measurements are those of the largest, "
        f"{index.name} ({index.prediction.tumour.volume_ml:.1f} ml); the probability for the others: {rest}.",
    )
    if overlap_ml > 0:
        yield Notice(
            "lesions_overlap",
            f"The lesions overlap by {overlap_ml:.2g} ml; tumour.nii.gz counts that part for the largest alone.",
        )


def about_training_ranges(measured: Mapping[str, float], familiar: Iterable[TrainingRange]) -> Iterable[Notice]:
    """Yield a warning for each quantity outside the range of the training patients."""
    for known in familiar:
        label, unit = QUANTITIES[known.quantity]
        value = measured[known.quantity]
        if not known.low <= value <= known.high:
            yield Notice(
                f"unfamiliar_{known.quantity}",
                f"Outside the range of the training patients: {label} is {value:.3g} {unit}; "
                f"theirs was {known.low:.3g} to {known.high:.3g} {unit}.",
            )


def about_clinical(
    schema: ClinicalSchema, values: Mapping[str, Value], given: Mapping[str, object]
) -> Iterable[Notice]:
    """Yield a warning if clinical variables are missing, and one if values of optional ones could not be read.

    Args:
        values: that the model used.
        given: as they were written.
    """
    for sentence in schema.find_unreadable(given).values():
        yield Notice("optional_unreadable", f"Read as unknown: {sentence}.")
    missing = [v.label for v in schema.asked if values[v.name] is None and not v.optional]
    if missing:
        yield Notice("clinical_missing", f"Not given and therefore read as unknown: {', '.join(missing)}.")


def about_clipped(clipped: Iterable[Clipped]) -> Iterable[Notice]:
    """Yield a warning for each variable that the model reads as a limit of its range, see `find_clipped`."""
    for each in clipped:
        variable = each.variable
        value, used = variable.describe(each.value), variable.describe_limit(each.used)
        name = variable.label.removeprefix("Log ") if variable.is_log else variable.label
        whose, which = "that the model can read", ""
        if variable.low is not None:
            whose, which = "of the training patients", " (1st to 99th percentile)"
        yield Notice(
            f"clipped_{variable.name}",
            f"Outside the range {whose}: {name[:1].lower()}{name[1:]} is {value}; the range is "
            f"{variable.describe_range()}{which}. The model reads {used} instead.",
        )


def about_result(interval: tuple[float, float], point: OperatingPoint, attention: AttentionSummary) -> Iterable[Notice]:
    """Yield warnings about the attention and the agreement of the ensemble."""
    if attention.in_tumour < LEAST_ATTENTION_IN_TUMOUR:
        yield Notice(
            "attention_elsewhere",
            f"Only {format_percent(attention.in_tumour)} of the model's attention is inside the tumour mask; "
            "do not rely on this prediction.",
            blocks_decision=True,
        )
    yield from about_agreement(interval, point)


def about_agreement(interval: tuple[float, float], point: OperatingPoint) -> Iterable[Notice]:
    """Yield a warning if the models of an ensemble disagree on the decision.

    Args:
        interval: their lowest and highest probability.
        point: that decides.
    """
    if interval[0] < point.threshold <= interval[1]:
        yield Notice("folds_disagree", "The models of the ensemble disagree on the decision.")


def about_validation(exam: Exam, card: ModelCard) -> Iterable[Notice]:
    """Yield warnings about an exam of a kind that the model was not validated on: a patient, or slices in a plane."""
    if card.is_of_phantoms and not exam.provenance.is_phantom:
        yield Notice(
            "model_of_phantoms",
            f"The model {card.name} was trained on simulated exams and knows nothing about patients; do not rely on "
            "the result. Choose a model that was trained on patients.",
            blocks_decision=True,
        )
    plane = plane_of(exam.geometry)
    if plane in card.known_limits.lower():
        yield Notice("unfamiliar_plane", f"The slices are {plane}; the model's card names such exams among its limits.")
