"""A site that drops out, sends NaN, has other variables or bad data is named and left out; nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import load_bundle
from PCRPredictorLib.writing import read_csv
from PCRTrainingLib.federation.messages import Answer
from PCRTrainingLib.federation.rounds import left_out_sites, refuse_weights, rounds_of
from PCRTrainingLib.federation.simulate import check_finished
from support.federated.direct import weighted_average
from support.federated.sites import CONFIG, COUNTS, NAMES, LightSite, Spoken, begin, run

ROUNDS = 3 * (1 + 2)


def light(**spoiled):
    return {name: LightSite(spoil=spoiled.get(name, lambda task, answer: answer)) for name in NAMES}


def at(position, made):
    """Spoil the answer to one task."""
    return lambda task, answer: made(answer) if task.position == position else answer


def rows_of(folder, site, took_part):
    return [row for row in read_csv(folder.rounds) if row["site"] == site and row["took_part"] == took_part]


def test_three_steps_end_with_a_bundle_of_the_sum_of_all_rounds(tmp_path):
    folder = begin(tmp_path / "out", NAMES)
    run(folder, light())
    assert folder.read_state().done == ROUNDS == len(rounds_of(CONFIG, 2))
    assert np.allclose(folder.read_weights(folder.read_state())["stem.conv.weight"], 6)
    assert "57 patients at 3 sites" in load_bundle(folder.bundle).card.training_data


def test_a_site_that_drops_out_and_comes_back_misses_only_its_rounds(tmp_path):
    folder = begin(tmp_path / "out", NAMES)
    sites = light(west=lambda task, answer: None if task.step == "step2" else answer)
    lines = run(folder, sites)
    assert any(line.startswith("west left out of round 1 of step2: it did not answer") for line in lines)
    assert len(rows_of(folder, "west", "no")) == 3
    assert len(rows_of(folder, "west", "yes")) == ROUNDS - 3
    assert len(rows_of(folder, "north", "yes")) == ROUNDS


def nan(answer):
    name = next(iter(answer.weights))
    return replace(answer, weights={**answer.weights, name: np.full_like(answer.weights[name], np.nan)})


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (nan, "not finite"),
        (lambda answer: Answer(answer.position, "diverged"), "not finite"),
        (lambda answer: Answer(answer.position, "data"), "its cohort cannot be used"),
        (lambda answer: replace(answer, weights={}), "no weights"),
        (lambda answer: replace(answer, weights={"x": np.ones(3)}), "different network"),
        (lambda answer: replace(answer, counts={**COUNTS, "trained": 99}), "make no sense"),
        (lambda answer: replace(answer, position="train step1 7"), "different round"),
    ],
)
def test_an_answer_that_cannot_be_used_is_left_out_of_its_round_alone(tmp_path, made, reason):
    spoiled = begin(tmp_path / "spoiled", NAMES)
    lines = run(spoiled, light(south=at("train step1 1", made)))
    assert any(line.startswith("south left out of round 2 of step1:") and reason in line for line in lines)
    assert len(rows_of(spoiled, "south", "yes")) == ROUNDS - 1
    assert spoiled.read_state().finished


def test_a_site_with_other_variables_is_named_before_the_first_round(tmp_path):
    folder = begin(tmp_path / "out", NAMES)
    unlike = at("describe", lambda answer: Answer(answer.position, "variables", ("hr", "secret text")))
    lines = run(folder, light(west=unlike))
    assert lines[0].startswith("west left out of the description: its table has no value of hr; complete")
    assert not any("secret" in line for line in lines)


def test_too_few_sites_stop_the_round_and_it_goes_on_later(tmp_path):
    folder = begin(tmp_path / "out", NAMES)
    away = light(**dict.fromkeys(("south", "west"), lambda task, answer: None if task.step == "step2" else answer))
    with pytest.raises(DataError, match=r"2 sites must take part in a round, got 1 \(north\)"):
        run(folder, away)
    assert folder.read_state().done == 3
    run(folder, light())
    assert len(rows_of(folder, "south", "yes")) == ROUNDS
    assert folder.read_state().finished


def test_sites_weigh_the_same_or_by_their_patients():
    answers = {name: Answer("", weights={"w": np.array([float(k)])}) for k, name in enumerate(NAMES)}
    assert weighted_average(answers, dict.fromkeys(NAMES, 1.0))["w"] == pytest.approx(1)
    assert weighted_average(answers, {"north": 0, "south": 10, "west": 30})["w"] == pytest.approx(1.75)


def test_weights_of_another_kind_are_refused():
    assert "other than weights" in refuse_weights({"w": np.array(["a"], object)}, {"w": np.zeros(1)})
    assert "other than weights" in refuse_weights({"w": np.array([1e300])}, {"w": np.zeros(1, np.float32)})


def test_another_network_at_the_start_of_a_step_is_left_out_and_not_averaged(tmp_path):
    folder = begin(tmp_path / "out", NAMES)
    wider = at(
        "start step1", lambda answer: replace(answer, weights={n: a[..., None] for n, a in answer.weights.items()})
    )
    lines = run(folder, light(north=wider))
    assert any(
        line == "north left out of the start of step1: it sent the weights of a different network" for line in lines
    )
    assert folder.read_state().finished


def test_a_folder_goes_on_only_with_the_plan_that_it_has(tmp_path):
    begin(tmp_path / "out", NAMES)
    begin(tmp_path / "out", NAMES)
    with pytest.raises(DataError, match="other sites or settings"):
        begin(tmp_path / "out", NAMES, proximal=0.1)


def test_the_end_says_how_often_each_site_was_left_out():
    row = {"site": "west", "took_part": "no", "reason": "it sent no weights"}
    assert list(left_out_sites([row, row])) == ["west was left out of 2 exchanges: it sent no weights"]


def measured(attention):
    """Add shares of maps inside tumours to the last answer."""
    shares = {"held_out_attention": attention, "held_out_random": 0.05, "held_out_enhancement": 0.3}
    return at("finish", lambda answer: replace(answer, metrics=shares))


def test_no_bundle_is_made_of_a_federation_whose_attention_is_at_chance_until_it_is_wanted(tmp_path):
    folder = begin(tmp_path / "out", NAMES, keep_anyway=False)
    sites = light(north=measured(0.6), south=measured(0.1), west=measured(0.08))
    run(folder, sites)
    assert folder.is_done() and not folder.bundle.exists()
    with pytest.raises(
        DataError,
        match=r"its attention is no better than plain early enhancement: 0\.26 of it .*repeat the .* --keep-anyway",
    ):
        check_finished(folder, Spoken())
    begin(folder.path, NAMES, keep_anyway=True)
    run(folder, sites)
    check_finished(folder, Spoken())
    assert "do not rely on its maps" in load_bundle(folder.bundle).card.known_limits
    assert folder.read_state().done == ROUNDS


def test_a_federation_that_finds_tumours_has_a_bundle(tmp_path):
    folder = begin(tmp_path / "out", NAMES, keep_anyway=False)
    run(folder, light(**{name: measured(0.6) for name in NAMES}))
    assert "maps" not in load_bundle(folder.bundle).card.known_limits
