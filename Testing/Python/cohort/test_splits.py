import warnings

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError, ignore_warnings_of_libraries
from PCRTrainingLib.cohort.splits import NEVER, assign_folds, inner_validation, read_splits, write_splits
from PCRTrainingLib.config import SplitConfig

IDS = [f"P{k}" for k in range(60)]
LABELS = (np.arange(60) % 3 == 0).astype(int)
SITES = np.array(["A", "B", "C", "D"])[np.arange(60) // 15]


def assign(seed=0, **settings):
    return assign_folds(SplitConfig(**settings), IDS, LABELS, SITES, seed)


def test_folds_hold_every_patient_once_with_label_and_site_balanced():
    folds = assign(folds=5)
    assert np.bincount(folds).tolist() == [12] * 5
    assert [LABELS[folds == k].sum() for k in range(5)] == [4] * 5
    assert all(len(set(SITES[folds == k])) == 4 for k in range(5))


def test_folds_depend_on_the_seed_alone():
    assert np.array_equal(assign(folds=5), assign(folds=5))
    assert not np.array_equal(assign(folds=5), assign(1, folds=5))


def test_leaving_a_site_out_leaves_all_of_it_out():
    folds = assign(kind="groups", folds=0)
    assert [set(SITES[folds == k]) for k in range(4)] == [{"A"}, {"B"}, {"C"}, {"D"}]


def test_groups_are_joined_into_fewer_folds_but_never_divided():
    folds = assign(kind="groups", folds=2)
    assert all(len(set(folds[site == SITES])) == 1 for site in "ABCD")
    assert set(folds) == {0, 1}


def test_holdout_leaves_the_rest_to_train_on_always():
    folds = assign(kind="holdout", share=0.25)
    assert (folds == 0).sum() == 15
    assert (folds == NEVER).sum() == 45


def test_mama_mia_list_is_read_in_any_case(tmp_path):
    rows = [f"{IDS[k].lower()},{IDS[k + 30]}" for k in range(30)]
    (tmp_path / "s.csv").write_text("train_split,test_split\n" + "\n".join(rows))
    folds = assign(kind="given", file=str(tmp_path / "s.csv"))
    assert (folds[:30] == NEVER).all()
    assert (folds[30:] == 0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train_split,test_split\nP1,P1\n", "p1 must be on one side of the split, got both"),
        ("patient_id,fold\nP1,0\n", r"must list every patient, P0 is missing \(59 in all"),
        ("patient_id,fold\nP1,x\n", "fold must be a whole number"),
        ("a,b\n1,2\n", "must have the columns"),
        ("patient_id,fold\nP1,0\nP1,1\n", "p1 must be in one fold, got 0 and 1"),
        ("patient_id,fold,Fold\nP1,0,1\n", "'fold' and 'Fold' have names that differ only in case"),
    ],
)
def test_given_list_that_does_not_fit_is_refused(tmp_path, text, message):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        assign(kind="given", file=str(tmp_path / "s.csv"))


def test_given_list_is_read_as_any_table(tmp_path):
    rows = [f"{name.lower()};{k % 2}.0;;" for k, name in enumerate(IDS)]
    (tmp_path / "s.csv").write_text("sep=;\nPatient_ID;fold\n" + "\n".join(rows), encoding="utf-16")
    assert assign(kind="given", file=str(tmp_path / "s.csv")).tolist() == [0, 1] * 30


@pytest.mark.parametrize(("folds", "advice"), [(0, "split.column$"), (3, "split.column, or set split.folds lower$")])
def test_group_with_a_whole_class_is_refused_with_advice(folds, advice):
    sites = np.where(LABELS == 1, "A", np.where(SITES == "A", "B", SITES))
    with pytest.raises(DataError, match="without the group A one class is left; choose a different " + advice):
        assign_folds(SplitConfig("groups", folds=folds), IDS, LABELS, sites, 0)


def test_given_list_that_trains_on_one_class_is_refused(tmp_path):
    rows = [f"{name},{'' if label else 0}" for name, label in zip(IDS, LABELS, strict=True)]
    (tmp_path / "s.csv").write_text("patient_id,fold\n" + "\n".join(rows))
    with pytest.raises(DataError, match=r"the patients that fold 0 is trained on must be with and without pCR"):
        assign(kind="given", file=str(tmp_path / "s.csv"))


def test_given_list_that_holds_out_one_class_is_refused_before_anything_is_trained(tmp_path):
    rows = [f"{name},{0 if k < 20 and not LABELS[k] else ''}" for k, name in enumerate(IDS)]
    (tmp_path / "s.csv").write_text("patient_id,fold\n" + "\n".join(rows))
    with pytest.raises(DataError, match=r"two patients with pCR and two without must be held out .* got 0 of one kind"):
        assign(kind="given", file=str(tmp_path / "s.csv"))


def test_validation_is_part_of_the_training_side_only():
    train = np.arange(40)
    fitted, validation = inner_validation(train, LABELS, 0.2, 0)
    assert len(validation) == 8
    assert sorted([*fitted, *validation]) == train.tolist()
    assert len(inner_validation(train, LABELS, 0, 0)[1]) == 0


@pytest.mark.parametrize(("share", "positives"), [(0.2, 1), (0.05, 4), (0.1, 2)])
def test_validation_without_both_classes_on_both_sides_is_refused(share, positives):
    with pytest.raises(DataError, match=f"validation must leave .* got {share:g} of 40 patients, {positives} with pCR"):
        inner_validation(np.arange(40), (np.arange(40) < positives).astype(int), share, 0)


def test_too_few_patients_one_class_and_missing_groups_are_refused():
    with pytest.raises(DataError, match="folds must be at most the 20 patients of the smaller class, got 30"):
        assign(folds=30)
    with pytest.raises(DataError, match="must have patients with and without pCR, got 0 with pCR and 3 without"):
        assign_folds(SplitConfig(), IDS[:3], np.zeros(3, int), SITES[:3], 0)
    with pytest.raises(DataError, match="no patient that can be used"):
        assign_folds(SplitConfig(), [], np.zeros(0, int), SITES[:0], 0)
    with pytest.raises(DataError, match="must name two groups or more"):
        assign_folds(SplitConfig("groups"), IDS, LABELS, np.array([""] * 60), 0)


def test_splits_are_read_back_and_different_patients_are_refused(tmp_path):
    folds = assign(kind="holdout")
    write_splits(tmp_path / "splits.csv", IDS, LABELS, folds)
    assert np.array_equal(read_splits(tmp_path / "splits.csv", IDS), folds)
    with pytest.raises(DataError, match="must list the cohort"):
        read_splits(tmp_path / "splits.csv", IDS[1:])


def test_site_with_one_patient_of_a_class_is_divided_without_a_warning():
    labels, site = np.array([0, 1] * 3), np.array(list("AABBAC"))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ignore_warnings_of_libraries()
        assign_folds(SplitConfig(folds=2), list("abcdef"), labels, site, 0)
    assert told == []
