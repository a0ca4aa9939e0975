"""The story: one patient, two hospitals, four networks that ship; a page and a picture that need nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import format_percent
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.story.facts import FACTS, HOSPITALS, NETWORKS, facts_from_json, find_story, read_story
from PCRPredictorLib.story.page import render_story
from PCRPredictorLib.story.picture import save_story
from PCRPredictorLib.story.scene import class_activation, make_scene
from PCRPredictorLib.story.words import stops
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  adds demo
from PCRTrainingLib.training.explanation import grad_cam
from support.browser_help import CHROMIUM, chromium

ELSEWHERE = re.compile(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:|#)[^\"'\s>)]+", re.IGNORECASE)


@pytest.fixture(scope="module")
def story():
    facts, bundles = read_story()
    return facts, make_scene(facts, bundles)


@pytest.fixture(scope="module")
def page(story):
    return render_story(*story)


def test_networks_that_ship_take_less_than_a_megabyte():
    assert sum(file.stat().st_size for file in find_story().rglob("*") if file.is_file()) < 1e6


def test_page_loads_nothing_and_runs_no_script(page):
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert ELSEWHERE.findall(page) == []


def test_page_has_a_stop_per_step_with_its_words_and_pictures(story, page):
    for number, stop in enumerate(stops(*story)):
        assert f'id="stop{number}"' in page
        assert stop.caption in page
    assert page.count("data:image/png;base64,") == len(HOSPITALS) * (2 * 2 + len(NETWORKS))
    assert page.count(" checked") == page.count("checked aria-label") == 1


def test_page_gives_every_auc_at_both_hospitals(story, page):
    for network in story[0].auc.values():
        for hospital in HOSPITALS:
            assert f"{network[hospital].value:.2f}" in page


def test_page_says_what_it_does_not_show(page):
    assert "All patients are simulated" in page
    assert "On real exams, guidance has not raised the AUC" in page
    assert "a plain map of enhancement" in page


def test_every_number_of_a_caption_is_measured_or_in_the_pictures(story, page):
    facts, scene = story
    pictures = page[page.index('class="stage"') :]
    for stop in stops(facts, scene):
        for number in re.findall(r"\d+ %|0\.\d\d", stop.caption):
            assert f"<b>{number}</b>" in pictures or number == format_percent(scene.tissue_alone)


def test_tissue_alone_changes_the_answer_without_guidance(story):
    heat = {name: view.heat["single"].probability for name, view in story[1].views.items()}
    assert heat["B"] + 0.1 < story[1].tissue_alone < heat["A"] - 0.1


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_pictures_numbers_and_key_are_in_sight(page, tmp_path):
    (tmp_path / "story.html").write_text(page, encoding="utf-8")
    with chromium() as browser:
        shown = browser.new_page(viewport={"width": 1366, "height": 768})
        shown.goto((tmp_path / "story.html").as_uri())
        for parts in (".captions p", ".exam", ".auc", ".key"):
            lowest = [part.bounding_box() for part in shown.locator(parts).all()]
            assert max(box["y"] + box["height"] for box in lowest) <= 768, parts
        assert shown.locator(".captions p").evaluate_all("all => all.every(p => p.scrollHeight <= p.clientHeight)")


def test_patient_has_the_same_tumour_at_both_hospitals(story):
    here, there = (story[1].views[name] for name in HOSPITALS)
    assert np.array_equal(here.mask, there.mask)
    assert not np.array_equal(here.grey, there.grey)


def test_heat_leaves_the_background_and_the_answer_stays(story):
    heat = {name: view.heat for name, view in story[1].views.items()}
    for hospital in HOSPITALS:
        assert heat[hospital]["step2"].in_tumour > heat[hospital]["step1"].in_tumour + 0.3
    change = {name: abs(heat["A"][name].probability - heat["B"][name].probability) for name in NETWORKS}
    assert change["single"] > 3 * change["step3"]


def test_guided_networks_carry_over_and_the_others_do_not(story):
    auc = story[0].auc
    assert auc["single"]["A"].value - auc["single"]["B"].value > 0.15
    assert auc["step3"]["B"].value - auc["single"]["B"].value > 0.08


def test_class_activation_is_grad_cam_of_a_network_without_attention():
    torch.manual_seed(0)
    network = PCRNet(widths=(4, 6, 8)).eval()
    output = network(torch.randn(1, 3, 8, 32, 32))
    ours, theirs = class_activation(network, output), grad_cam(output)
    assert theirs.max() > 0
    assert torch.allclose(ours / ours.max(), theirs / theirs.max(), atol=1e-5)


def test_picture_is_drawn(story, tmp_path):
    save_story(*story, tmp_path / "story.png")
    assert imread(tmp_path / "story.png").shape[1] == 1600


def test_facts_are_read_as_they_were_written(story):
    facts = story[0]
    assert facts_from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_damaged_facts_are_refused(story, tmp_path):
    (tmp_path / FACTS).write_text(json.dumps(replace(story[0]).to_json() | {"format": 7}))
    with pytest.raises(DataError, match="format must be 1"):
        read_story(tmp_path)


def test_command_writes_page_and_picture(tmp_path, capsys):
    assert run(app, ["demo", "--story", "--out", str(tmp_path / "new" / "story")]) == 0
    assert {path.name for path in (tmp_path / "new" / "story").iterdir()} == {"story.html", "story.png"}
    assert "story.html" in capsys.readouterr().out


@pytest.mark.parametrize("option", [["--model", "ispy2"], ["--seed", "2"]])
def test_option_that_the_story_would_ignore_is_refused(option, tmp_path, capsys):
    assert run(app, ["demo", "--story", "--out", str(tmp_path / "story"), *option]) == 2
    assert "the story has its own networks and patient" in capsys.readouterr().err
    assert not (tmp_path / "story").exists()


def test_folder_that_cannot_be_written_is_reported(tmp_path):
    from PCRPredictorLib.story.tell import tell_story

    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="choose another folder"):
        tell_story(tmp_path / "file" / "out")
