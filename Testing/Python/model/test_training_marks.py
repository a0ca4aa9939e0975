"""Whether a model was trained on an exam or patient."""

from dataclasses import replace

from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.model.training_marks import about_training, identifier_hash, image_hash
from support.examples import tiny_exam

EXAM = tiny_exam(identifier="Study-007")


def codes(exam, images=(), patients=()):
    """Return what is warned of, and whether it forbids a decision."""
    return [(notice.code, notice.blocks_decision) for notice in about_training(exam, images, patients)]


def test_exam_of_the_training_is_recognised_under_any_name():
    copy = replace(EXAM, provenance=Provenance("file", patient_id="other"))
    assert codes(copy, [image_hash(EXAM)], [identifier_hash("study-007")]) == [("trained_on_exam", True)]


def test_patient_of_the_training_is_recognised_by_the_identifier_in_any_case():
    assert codes(EXAM, ["0" * 16], [identifier_hash("study-007")]) == [("trained_on_patient", False)]


def test_other_exams_and_bundles_without_hashes_are_no_warning():
    assert codes(EXAM, ["0" * 16], [identifier_hash("study-008")]) == []
    assert codes(EXAM) == []
    assert codes(replace(EXAM, provenance=Provenance("mrml")), ["0" * 16], [identifier_hash("")]) == []
