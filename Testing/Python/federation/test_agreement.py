"""The scaling that sites agree on from counts and sums, and configurations that a federation cannot follow."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.federation.agreement import agreed_schema, check_config, shared_schema
from support.federated.sites import CONFIG


def sums(values):
    return {"age": (float(len(values)), float(np.sum(values)), float(np.square(values).sum()))}


def test_centre_and_scale_are_those_of_all_patients_together():
    north, south = np.array([30.0, 41, 52, 44, 60]), np.array([55.0, 61, 70, 48, 66, 59])
    age = agreed_schema(shared_schema(CONFIG), [sums(north), sums(south)]).variables[0]
    pooled = np.concatenate([north, south])
    assert (age.mean, age.sd) == pytest.approx((pooled.mean(), pooled.std()))
    assert 18 <= age.low < age.mean < age.high <= 100


def test_a_number_that_no_site_may_speak_of_keeps_its_definition():
    schema = shared_schema(CONFIG)
    assert agreed_schema(schema, [{}, {}]) == schema


def test_a_range_that_the_configuration_gives_is_kept():
    schema = shared_schema(CONFIG)
    fixed = replace(
        schema, variables=(replace(schema.variables[0], low=30.0, high=80.0, mean=52.0), *schema.variables[1:])
    )
    assert agreed_schema(fixed, [sums(np.arange(40.0, 60))]) == fixed


@pytest.mark.parametrize(
    ("config", "rounds", "message"),
    [
        (CONFIG, 3, "rounds must be at most the 2 epochs of step1, got 3"),
        (replace(CONFIG, pretraining=1), None, "pretraining must be 0"),
        (replace(CONFIG, validation=0.2), None, "validation must be 0"),
    ],
)
def test_settings_that_a_federation_cannot_follow_are_refused(config, rounds, message):
    with pytest.raises(DataError, match=message):
        check_config(config, rounds)
