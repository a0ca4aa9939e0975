"""A model card and a clinical schema of two variables."""

from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.model.card import ModelCard

CARD = ModelCard(
    name="tiny",
    version="1.0.0",
    description="Random weights.",
    authors="the tests",
    licence="Apache-2.0",
    training_data="none",
    intended_use="tests",
    not_intended_use="anything else",
    known_limits="knows nothing",
)
SCHEMA = ClinicalSchema(
    (
        Number("age", "Age", "years", 18, 100, 50, 10),
        Category("hr", "Hormone receptors", {"negative": ["0"], "positive": ["1"]}),
    )
)
