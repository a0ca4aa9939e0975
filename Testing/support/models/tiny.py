"""An image bundle with random weights."""

from pathlib import Path

import torch
from PCRPredictorLib.model.bundle import write_bundle
from PCRPredictorLib.model.card import InferenceSettings, TrainingRange, TrainingTimes
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.prediction import OperatingPoint

from ..card_and_schema import CARD, SCHEMA


def write_tiny_bundle(folder: Path) -> Path:
    """Write an intact bundle of two folds, and return its folder."""
    torch.manual_seed(0)
    arguments = {"widths": [4, 6, 8], "attention": True, "clinical_inputs": SCHEMA.width}
    networks = [PCRNet(**arguments) for _ in range(2)]
    for network in networks:  # attention and clinical branch start silent; let them speak
        torch.nn.init.normal_(network.attention[-1].weight)
        torch.nn.init.normal_(network.clinical[-1].weight)
    settings = InferenceSettings(
        network=arguments,
        grid=GridSpec(),
        flips=((0,), (2,), (0, 2)),
        calibration=(1.0, 0.0),
        operating_points=(OperatingPoint("balanced", 0.5, 0.7, 0.7), OperatingPoint("high sensitivity", 0.1, 0.9, 0.3)),
        familiar=(TrainingRange("tumour_volume", 0.5, 200.0),),
        times=(
            TrainingTimes("early", 93.0, 243.0, (106.0, 128.0, 162.0), 190),
            TrainingTimes("late", 200.0, 405.0, (300.0, 358.0, 387.0), 190),
        ),
    )
    write_bundle(folder, CARD, SCHEMA, settings, [n.state_dict() for n in networks], "# Tiny\n")
    return folder
