"""Hormone receptors from oestrogen and progesterone receptors."""

import pytest
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.clinical import read_clinical, read_clinical_words
from PCRPredictorLib.reading.table import read_rows
from PCRPredictorLib.variables.receptors import RECEPTORS, hormone_receptors
from PCRTrainingLib.schema import KNOWN


@pytest.mark.parametrize(
    ("er", "pr", "hr"),
    [
        ("positive", None, "positive"),
        (None, "positive", "positive"),
        ("negative", "positive", "positive"),
        ("negative", "negative", "negative"),
        ("negative", None, None),
        (None, None, None),
    ],
)
def test_either_receptor_makes_positive_and_both_make_negative(er, pr, hr):
    assert hormone_receptors(er, pr) == hr


def test_a_table_with_er_alone_gives_the_positive_ones_and_says_so(tmp_path):
    (tmp_path / "t.csv").write_text("patient_id,ER\na,pos\nb,neg\nc,\nd,1\n")
    said = []
    rows = read_rows(tmp_path / "t.csv", report=said.append)
    assert [rows[name].get("hr", "") for name in "abcd"] == ["positive", "", "", "positive"]
    assert said == [
        "hr from er and pr: 2 positive, 0 negative; unknown for 1 patient, as one of er and pr is negative and the "
        "other not known, or its cell cannot be read: b"
    ]


def test_the_column_hr_stands_and_its_empty_cells_are_filled(tmp_path):
    (tmp_path / "t.csv").write_text("patient_id,hr,er,pr\na,0,1,1\nb,,0,0\nc,,2,1\n")
    said = []
    rows = read_rows(tmp_path / "t.csv", report=said.append)
    assert (rows["a"]["hr"], rows["b"]["hr"]) == ("0", "")  # numbers mean nothing beside a 2
    assert rows["c"]["hr"] == "positive"
    (tmp_path / "t.csv").write_text("patient_id,hr,er,pr\na,0,1,1\nb,1,,\n")
    read_rows(tmp_path / "t.csv", report=said.append)
    assert len(said) == 1


def test_one_patient_may_be_given_er_and_pr(tmp_path):
    schema = ClinicalSchema((KNOWN["hr"],))
    said = []
    assert read_clinical_words(["er=neg", "PR=neg"], schema, said.append)["hr"] == "negative"
    read_clinical_words(["er=neg"], schema, said.append)
    assert said[0] == "hr is negative (from er and pr)"
    assert said[1].startswith("hr is unknown, as one of er and pr is negative and the other not known")
    (tmp_path / "c.json").write_text('{"er": true}')
    assert read_clinical(tmp_path / "c.json")["hr"] == "positive"
    assert "hr" not in read_clinical_words([str(tmp_path / "c.json"), "er=neg"], schema)
    with pytest.raises(DataError, match="er must be negative, positive, or unknown, got 'banana'"):
        read_clinical_words(["er=banana"], schema)
    assert read_clinical_words(["er=pos"], RECEPTORS)["er"] == "pos"
