"""What the answer would be with other clinical values: computed at once, without running a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..clinical import ClinicalSchema
from ..errors import DataError
from ..report.wording import Translate
from .model_choice import ModelRunner
from .result import Result


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A result with clinical values that differ from those that were predicted with.

    Args:
        result: with these values; it is shown, but never saved.
        assumptions: the values that differ, in words, as in "HER2 were positive".
    """

    result: Result
    assumptions: str


class WhatIf:
    """Find the hypothesis that the clinical form makes; the last one is kept.

    Args:
        runner: with the predictor of the result.
        translate: a sentence into the frontend's language.
    """

    def __init__(self, runner: ModelRunner, translate: Translate) -> None:
        self._runner, self._translate = runner, translate
        self._of: tuple[object, ...] = ()
        self._found: Hypothesis | None = None

    def find(
        self, result: Result, schema: ClinicalSchema, values: Mapping[str, object], meaning: Mapping[str, object]
    ) -> Hypothesis | None:
        """Return the hypothesis; None if the values are those of the result, or cannot be used.

        Args:
            result: that was predicted.
            schema: of its model.
            values: as they are entered, by name.
            meaning: as `ClinicalForm.meaning`.
        """
        if meaning == result.inputs.clinical:
            return None
        of = (result, dict(meaning))
        if of != self._of:
            self._of, self._found = of, self._make(result, schema, values, meaning)
        return self._found

    def _make(
        self, result: Result, schema: ClinicalSchema, values: Mapping[str, object], meaning: Mapping[str, object]
    ) -> Hypothesis | None:
        try:
            prediction = self._runner.what_if(result.prediction, values)
        except DataError:  # a value that is being typed; predicting reports it
            return None
        if prediction is None:
            return None
        found = replace(result, prediction=prediction.at(result.prediction.operating_point))
        return Hypothesis(found, self._describe(schema, result.inputs.clinical, meaning))

    def _describe(self, schema: ClinicalSchema, before: Mapping[str, object], now: Mapping[str, object]) -> str:
        changed = [variable for variable in schema.asked if before.get(variable.name) != now.get(variable.name)]
        each = self._translate("{label} were {value}")
        words = [each.format(label=x.label, value=x.describe(now.get(x.name))) for x in changed]  # type: ignore[arg-type]
        return self._translate(" and ").join(words)
