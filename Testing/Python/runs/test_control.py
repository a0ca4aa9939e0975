"""The fair control: step 3 without guidance, so that the difference between the two is guidance's."""

from dataclasses import replace

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.config import PRESETS, Step
from PCRTrainingLib.runs.control import control_config, control_steps
from PCRTrainingLib.runs.experiment import experiment_config
from PCRTrainingLib.runs.table import COMPARED, ROWS

FIRST, SECOND, THIRD = PRESETS["full"].steps
OWN = replace(THIRD, image_share=0.1, image_rate=0.0, clinical_rate=0.0, clinical_dropout=0.3, epochs=3)


def test_control_is_fused_as_step_3_and_has_no_guidance():
    _, control = control_steps([FIRST, SECOND, OWN])
    unguided = {"attention": False, "guidance": None, "swap": False}
    assert control == replace(OWN, name="fair_control", after="single_image", **unguided)


def test_its_image_network_is_trained_as_long_as_all_steps_before_the_fusion():
    extra = replace(SECOND, name="more", after="step2", epochs=4)
    image, _ = control_steps([FIRST, SECOND, extra, replace(OWN, after="more")])
    assert image.epochs == FIRST.epochs + SECOND.epochs + 4
    assert (image.after, image.attention, image.guidance, image.swap, image.clinical) == (
        None,
        False,
        None,
        False,
        False,
    )


def test_steps_that_the_last_one_does_not_start_from_do_not_count():
    aside = Step("aside", 7)
    assert control_steps([FIRST, aside, SECOND, OWN])[0].epochs == FIRST.epochs + SECOND.epochs


@pytest.mark.parametrize("steps", [[FIRST], [FIRST, SECOND], [replace(OWN, after=None)]])
def test_curriculum_without_fusion_has_no_control(steps):
    with pytest.raises(DataError, match="a fair control needs a last step that fuses"):
        control_steps(steps)
    assert control_config(replace(PRESETS["full"], steps=tuple(steps))) is None


def test_experiment_trains_it_and_compares_step_3_with_it_first():
    names = [step.name for step in experiment_config(PRESETS["full"]).steps]
    assert {"single_image", "fair_control"} <= set(names)
    assert "fair_control" in [row.step for row in ROWS]
    assert COMPARED[0] == ("step 3", "fair control")
