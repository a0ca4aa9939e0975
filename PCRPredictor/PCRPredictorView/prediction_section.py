"""The patient, the model, the prediction and its result in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from PCRPredictorLib.clinical import Category, ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.model.bundle import Bundle, bundled_models, find_bundle, load_bundle
from PCRPredictorLib.prediction import RESEARCH_USE_ONLY, Prediction
from PCRPredictorLib.report import wording
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from .exam_scene import ExamScene
from .work import Work

_STALE = "Changed since this prediction; predict again."


@dataclass
class PredictionState:
    """Fields and result; texts are "" where there is nothing to say.

    Args:
        fields: name, label, unit and choices of each clinical variable; a number has no choices.
        values: text of each, by name; "" is unknown.
        card: of the model, rich text.
        points: names of the model's operating points.
    """

    model: str = ""
    models: list[str] = field(default_factory=list)
    card: str = ""
    fields: list[dict[str, object]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)
    point: str = ""
    probability: str = ""
    decision: str = ""
    image_alone: str = ""
    attention: str = ""
    warnings: str = ""
    stale: str = ""


class Result(NamedTuple):
    """What the page shows, and the report says."""

    exam: Exam
    prediction: Prediction  # at the operating point that was chosen
    bundle: Bundle


class PredictionSection:
    """Predicts the exam that is open.

    Args:
        server: of the page.
        work: where it is predicted.
        scene: with the exam.
        model: name or folder of the model that is chosen first.
        predicted: called with a prediction once the scene shows it.
    """

    def __init__(
        self, server: Server, work: Work, scene: ExamScene, model: str, predicted: Callable[[Prediction], None]
    ) -> None:
        self._server, self._work, self._scene, self._predicted = server, work, scene, predicted
        self.result: Result | None = None
        self._bundle: Bundle | None = None
        self._asked: Mapping[str, object] = {}
        self._known: dict[str, object] = {}  # of the patient, whether or not the model asks for it
        self.state = TypedState(server.state, PredictionState)
        data, name = self.state.data, self.state.name
        self._models = dict(bundled_models())
        chosen = find_bundle(model)
        if self._models.get(model) != chosen:  # another one, though it may be called like a bundled one
            model = str(chosen)
            self._models = {model: chosen, **self._models}
        data.models, data.model = list(self._models), model
        self._choose(data.model)
        changed = {
            name.model: self._choose,
            name.point: self._show_decision,
            name.values: lambda _values: self.update(),
        }
        work.watch(self.state, changed)

    def begin(self, exam: Exam) -> None:
        """Another exam is open: its result is not this one's, its clinical values are."""
        self.clear()
        self._known = dict(exam.clinical)
        self._fill()

    def clear(self) -> None:
        """Show no result."""
        self.result = None
        data = self.state.data
        data.probability = data.decision = data.image_alone = data.attention = data.warnings = data.stale = ""

    def update(self) -> None:
        """Say so when the result is not of what the page shows any more."""
        changed = self.result is not None and (self._scene.is_stale or self._values() != self._asked)
        self.state.data.stale = _STALE if changed else ""

    def predictor(self) -> Callable[[Exam], Prediction]:
        """What predicts an exam of the list, with the values of its own table.

        Raises:
            DataError: if the model cannot be read.
        """
        bundle = self._checked()
        return lambda exam: self._scene.predictor.predict(exam, bundle)[0]

    async def predict(self) -> None:
        """Predict the exam as it is now, and show the attention."""
        if self._work.is_busy:
            return
        if not self._scene.has_tumour:
            self._work.complain("open an exam and segment the tumour first: one click, or paint it")
            return
        try:
            bundle, values = self._checked(), self._values()
            exam = self._scene.read(values)
        except DataError as error:
            self._work.complain(str(error))
            return
        found = await self._work.run("Predicting", partial(self._scene.predictor.predict, exam, bundle))
        if found is None:
            return
        if bundle is not self._bundle:
            self._work.complain("the model was changed meanwhile; predict again")
            return
        with self._server.state:
            self.result, self._asked = Result(exam, found[0], bundle), values
            self._scene.show_prediction(exam, *found)
            self._show_result(found[0])
            self._predicted(found[0])
            self.update()

    def _values(self) -> dict[str, object]:
        return {name: value for name, value in self.state.data.values.items() if value not in ("", None)}

    def _checked(self) -> Bundle:
        if self._bundle is None:
            raise DataError("choose a model that can be read")
        return self._bundle

    def _choose(self, model: str) -> None:
        """Another model: its clinical variables are asked for; what was entered is kept as far as it takes it."""
        data = self.state.data
        self.clear()
        self._work.forget_problem()
        try:
            self._bundle = load_bundle(self._models[model])
        except DataError as error:
            self._bundle = None
            data.card, data.fields, data.points = str(error), [], []
            return
        data.card = wording.describe_model(self._bundle)
        data.fields = [
            {
                "name": variable.name,
                "label": variable.label,
                "unit": "" if isinstance(variable, Category) else variable.unit,
                "choices": list(variable.codings) if isinstance(variable, Category) else [],
            }
            for variable in self._bundle.schema.asked
        ]
        self._known |= data.values
        self._fill()
        data.points = [point.name for point in self._bundle.settings.operating_points]
        data.point = self._bundle.operating_point(None).name

    def _fill(self) -> None:
        """Enter what is known of the patient, as far as the model takes it; nothing of another patient stays."""
        data, schema = self.state.data, self._bundle.schema if self._bundle is not None else ClinicalSchema(())
        values, problems = schema.parse_each(self._known)
        data.values = {name: "" if value is None else f"{value}" for name, value in values.items()}
        if problems:
            self._work.complain(f"{'; '.join(problems)}; left unknown")

    def _show_result(self, prediction: Prediction) -> None:
        data = self.state.data
        data.probability = wording.describe_probability(prediction)
        data.image_alone = wording.describe_image_alone(prediction)
        data.attention = wording.describe_attention(prediction)
        data.warnings = wording.describe_warnings(prediction)
        self._show_decision(data.point)

    def _show_decision(self, point: str) -> None:
        if self.result is not None:
            exam, prediction, bundle = self.result
            chosen = bundle.operating_point(point)
            self.result = Result(exam, replace(prediction, operating_point=chosen), bundle)
            self.state.data.decision = wording.describe_decision(prediction, chosen)

    def build_patient(self) -> None:
        """The patient's part of the page."""
        name = self.state.name
        with html.Div(v_for=f"variable in {name.fields}", key="variable.name", classes="mb-1"):
            shared = {
                "density": "compact",
                "hide_details": True,
                "clearable": True,
                "label": ("variable.label + (variable.unit ? ', ' + variable.unit : '')",),
                "placeholder": "unknown",
                "model_value": (f"{name.values}[variable.name] || null",),
                "update_modelValue": f"{name.values} = {{...{name.values}, [variable.name]: $event ?? ''}}",
                "name": ("variable.name",),
            }
            v3.VSelect(v_if=("variable.choices.length",), items=("variable.choices",), **shared)
            v3.VTextField(v_else=True, type="number", **shared)
        html.Div("This model asks for no clinical values.", v_if=(f"!{name.fields}.length",), classes="text-caption")

    def build_model(self) -> None:
        """The model's part of the page, and what starts a prediction."""
        name, busy = self.state.name, self._work.state.name.busy
        v3.VSelect(
            v_model=(name.model,),
            items=(name.models,),
            disabled=(f"!!{busy}",),
            label="Model",
            density="compact",
            hide_details=True,
            id="model",
        )
        with html.Details(classes="text-caption my-1"):
            html.Summary("About this model")
            html.Div(v_html=(name.card,))
        v3.VBtn("Predict", click=self.predict, disabled=(f"!!{busy}",), color="primary", block=True, id="predict")

    def build_result(self) -> None:
        """The result's part of the page."""
        name = self.state.name
        html.Div("No prediction yet.", v_if=(f"!{name.probability}",), classes="text-caption")
        with html.Div(v_if=(name.probability,), id="result"):
            html.Div(f"{{{{ {name.stale} }}}}", v_if=(name.stale,), classes="text-warning", id="stale")
            html.Div(v_html=(name.probability,), id="probability")
            v3.VSelect(
                v_model=(name.point,),
                items=(name.points,),
                label="Operating point",
                density="compact",
                hide_details=True,
                classes="my-1",
                id="point",
            )
            html.Div(f"{{{{ {name.decision} }}}}", id="decision")
            html.Div(f"{{{{ {name.image_alone} }}}}", classes="text-caption")
            html.Div(f"{{{{ {name.attention} }}}}", classes="text-caption", id="attention")
            html.Div(v_html=(name.warnings,), classes="text-caption pl-4", id="warnings")
            html.Div(RESEARCH_USE_ONLY, classes="text-caption font-italic my-1")
            for text, file, key in (("Report", "report.html", "report"), ("All files", "result.zip", "files")):
                html.A(
                    text,
                    href=file,
                    download=f"pcr-{file}",
                    classes="v-btn v-btn--size-small v-btn--variant-tonal",
                    id=key,
                )
