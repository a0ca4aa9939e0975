import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.identifiers import identifier_key, match_identifiers


@pytest.mark.parametrize(
    ("name", "other"),
    [("001", "1"), ("1", "001"), ("12", "12.0"), ("P 1", "p 1"), ("e\u0301", "É".lower()), ("1.2.840.1", "1.2.840.1")],
)
def test_the_same_patient_is_found(name, other):
    assert match_identifiers([name], [other], "t.csv") == {name: other}


@pytest.mark.parametrize(("name", "other"), [("10", "1"), ("P1", "P01"), ("1.2", "1.20"), ("001a", "1a"), ("0", "")])
def test_different_patients_are_not_confused(name, other):
    assert match_identifiers([name], [other], "t.csv") == {}


def test_identifiers_in_full_are_not_in_doubt():
    assert match_identifiers(["1", "001"], ["001", "1"], "t.csv") == {"1": "1", "001": "001"}


@pytest.mark.parametrize(
    ("names", "others"),
    [(["1", "001"], ["1"]), (["001"], ["1", "01"]), (["1", "01"], ["001"]), (["001"], ["1", "001"])],
)
def test_lost_zeros_that_leave_a_doubt_are_refused(names, others):
    with pytest.raises(DataError, match=r"t.csv: .* differ only in leading zeros.*write every identifier in full"):
        match_identifiers(names, others, "t.csv")


def test_what_cannot_be_seen_is_not_compared():
    assert identifier_key("\ufeff P\u200b1\u00a0a ") == "p1 a"
