"""What a watch says of a study."""

from PCRPredictorLib.watching.one import Settings
from PCRPredictorLib.watching.records import Outcome
from PCRPredictorLib.watching.words import describe_outcome


def test_a_result_without_a_decision_gives_the_reason_instead_of_the_probability(tmp_path):
    settings = Settings(tmp_path, tmp_path, "abc")
    for row, said in (
        ({"probability": "0.4"}, "pCR probability 0.4,"),
        ({"probability": "0.4", "decision_withheld": "Odd."}, "no decision: Odd."),
    ):
        (line,) = describe_outcome("1.2", Outcome("predicted", (row,)), "", 5, settings)
        assert line.startswith(f"study 1.2: {said}")
