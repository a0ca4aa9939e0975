import pickle

from PCRPredictorLib.errors import DataError, Problem, group_problems


def lines(*problems, shown=None):
    return [group.describe(shown) for group in group_problems(Problem(*problem) for problem in problems)]


def test_equal_problems_are_one_line_with_count_and_patients():
    problems = [(f"P{k}", "has no label; fill it in") for k in range(40)]
    assert lines(*problems, shown=2) == ["40 patients: has no label; fill it in (P0, P1, ...)"]
    assert lines(*problems)[0].endswith("P38, P39)")


def test_values_and_identifiers_do_not_make_problems_different():
    found = lines(("P1", "age must be low, got '7'; correct it"), ("P2", "age must be low, got '8'; correct it"))
    assert found == ["2 patients: age must be low, got '7', '8'; correct it (P1, P2)"]
    assert lines(("P1", "add m/p1.nii"), ("P2", "add m/p2.nii")) == ["2 patients: add m/<patient>.nii (P1, P2)"]


def test_problem_of_one_patient_stays_as_it_is():
    assert lines(("P1", "p1_0000.nii cannot be read, got 1 of 2 slices"), ("P2", "has no mask")) == [
        "P1: p1_0000.nii cannot be read, got 1 of 2 slices",
        "P2: has no mask",
    ]


def test_an_identifier_within_a_number_or_word_is_not_taken_for_it():
    assert lines(("1", "must have 128 voxels of 1 mm"), ("2", "must have 128 voxels of 2 mm")) == [
        "2 patients: must have 128 voxels of <patient> mm (1, 2)"
    ]


def test_what_an_error_quotes_neither_controls_the_terminal_nor_fills_it():
    assert str(DataError("got '\x1b[2J\n[red]'")) == "got '\\x1b[2J [red]'"
    assert len(str(DataError("got " + "[" * 200_000))) <= 1000
    assert str(pickle.loads(pickle.dumps(DataError("x\x1b")))) == "x\\x1b"
