"""Whether a model was trained on an exam or patient."""

from dataclasses import replace

from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.model.training_marks import (
    about_training,
    describe_marks,
    identifier_hash,
    identifier_hashes,
    image_hash,
    known_patients,
    to_marks,
)
from support.examples import tiny_exam

EXAM = tiny_exam(identifier="Study-007")


def codes(exam, images=(), patients=()):
    """Return what is warned of, and whether it forbids a decision."""
    return [(notice.code, notice.blocks_decision) for notice in about_training(exam, images, patients)]


def test_exam_of_the_training_is_recognised_under_any_name():
    copy = replace(EXAM, provenance=Provenance("file", patient_id="other"))
    assert codes(copy, [image_hash(EXAM)], [identifier_hash("study-007")]) == [("trained_on_exam", True)]


def test_patient_of_the_training_is_recognised_by_the_identifier_in_any_case():
    assert codes(EXAM, ["0" * 16], [identifier_hash("study-007")]) == [("trained_on_patient", True)]


def test_other_exams_and_bundles_without_hashes_are_no_warning():
    assert codes(EXAM, ["0" * 16], [identifier_hash("study-008")]) == []
    assert codes(EXAM) == []
    assert codes(replace(EXAM, provenance=Provenance("mrml")), ["0" * 16], [identifier_hash("")]) == []


def test_marks_of_a_bundle_are_slow_salted_and_recognise_the_patient():
    plain = identifier_hashes("Study-007") | identifier_hashes("0042")
    marks = to_marks(plain)
    assert len(marks) == 3 and not plain & set(marks)
    assert not {mark[-16:] for mark in marks} & {mark[-16:] for mark in to_marks([*plain, "0" * 16])}
    assert known_patients(["study-007", "42", "study-008", ""], marks) == {"study-007", "42"}
    assert codes(EXAM, ["0" * 16], marks) == [("trained_on_patient", True)]


def test_marks_of_a_bundle_that_is_trained_further_stay_and_the_same_patients_give_the_same_marks():
    first = to_marks(identifier_hashes("P1"))
    both = to_marks([*first, *identifier_hashes("P2")])
    assert set(first) < set(both) and to_marks(identifier_hashes("P1")) == first
    assert known_patients(["P1", "P2", "P3"], both) == {"P1", "P2"}


def test_bundles_of_earlier_versions_and_broken_marks_are_read():
    plain = list(identifier_hashes("P1"))
    assert known_patients(["P1", "P2"], [*plain, "99:0123456789abcdef:0123456789abcdef", "x"]) == {"P1"}
    assert "plain hashes" in describe_marks(plain) and "slow" in describe_marks(to_marks(plain))
