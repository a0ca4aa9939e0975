"""Tests of the choice of studies."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from PCRPredictorLib.pacs.study import Series
from PCRPredictorLib.watching import candidates
from PCRPredictorLib.watching.candidates import fingerprint, why_not, with_counts
from support.pacs.watched import study_of, with_more


@pytest.mark.parametrize(
    ("study", "with_mask", "found"),
    [
        (study_of(), "", ""),
        (study_of(segmentations=0), "no segmentation", ""),
        (study_of(description=""), "", ""),
        (study_of(description="", segmentations=0), "no segmentation", "not those of breast"),
        (study_of(description="", images=(18,)), "", ""),
        (study_of(description="MR prostate"), "different part", "different part"),
        (study_of(description="", body_part="BRAIN"), "different part", "different part"),
        (study_of(description="MR breast and liver"), "", ""),
        (study_of(description="outer quadrants, delivered"), "", ""),
        (study_of(images=()), "no MR images", "no MR images"),
    ],
)
def test_with_a_segmentation_names_may_be_missing_but_not_say_otherwise(study, with_mask, found):
    for reason, finds in ((with_mask, False), (found, True)):
        assert reason in why_not(study, finds)
        assert bool(reason) == bool(why_not(study, finds))


def test_a_series_may_show_other_parts():
    liver = Series("1.1.8", "MR", 12, "liver dome", 20)
    assert why_not(with_more(study_of(description="MR"), liver), find_tumour=False) == ""


def test_a_fingerprint_is_that_of_images_and_segmentations():
    study = study_of()
    assert fingerprint(with_more(study, Series("1.5", "SR", 5, "report", 1))) == fingerprint(study)
    assert fingerprint(with_more(study, Series("1.5", "SEG", 5, "second reader", 1))) != fingerprint(study)
    assert fingerprint(study_of(images=(6, 6, 5))) != fingerprint(study)
    assert fingerprint(replace(study, series=study.series[::-1])) == fingerprint(study)


def test_a_pacs_that_counts_nothing_is_asked_for_instances(monkeypatch):
    monkeypatch.setattr(candidates, "find_instances", lambda _connection, _study, _series: {"1": "", "2": ""})
    study = study_of(images=(6,))
    bare = replace(study, series=tuple(replace(one, images=None) for one in study.series))
    assert [one.images for one in with_counts(SimpleNamespace(), bare).series] == [2, 2]
