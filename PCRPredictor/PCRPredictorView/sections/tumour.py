"""The section "Tumour": a click that grows it, a brush, undo, several lesions, a mask from a file and into one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PCRPredictorLib.enhancement import FUNCTIONAL_ENHANCEMENT
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry, Lesion
from PCRPredictorLib.outputs import MASK, MASK_DICOM
from PCRPredictorLib.reading.mask import ALL, read_masks
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.segmentation import SegmentationEffectErase, SegmentationEffectNoTool, SegmentationEffectPaint
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode

from ..page_scene import PageScene
from ..serving.uploads import UPLOADED, in_users_words, uploaded_mask
from ..views import Views
from ..work import Work
from .fields import COMPACT, checkbox, choice, slider

_EFFECTS = {"paint": SegmentationEffectPaint, "erase": SegmentationEffectErase}
_TOOLS = (  # value, label, what it does, identifier
    ("look", "Look", "Left button: show this position in all views", "tool-look"),
    ("grow", "One click", "Click the lesion: the enhancing tissue around it becomes the tumour", "tool-grow"),
    ("paint", "Paint", "Paint the tumour", "tool-paint"),
    ("erase", "Erase", "Erase the tumour", "tool-erase"),
)
_MODES = (
    ("replace", "Replace", "A click replaces the lesion", "mode-replace"),
    ("add", "Add", "A click adds to the lesion", "mode-add"),
    ("new", "New lesion", "A click begins a further lesion", "mode-new"),
)
_GROW_DRAWN = (  # label, in a box, identifier
    ("Grow from what is painted", False, "grow-drawn"),
    ("Grow in the box around it", True, "grow-box"),
)
_BUTTON = "v-btn v-btn--size-small v-btn--variant-tonal"


@dataclass
class TumourState:
    """What the mouse does in the slice views, and the tumour in words.

    Args:
        tool: "look", "grow", "paint" or "erase".
        mode: what a click does, see `session.tumour.Tumour`.
        brush: diameter in mm.
        ball: true if the brush reaches into adjacent slices.
        enhancement: least early enhancement of what a click grows, in percent.
        volume: functional tumour volume in words.
        size: of the lesion in words.
        question: asks whether to keep what a click has grown.
        answers: yes and no, in its words.
        lesions: key and name of each.
        lesion: key of the one that clicks and strokes change.
        candidate: of *Find tumours*, the one that is shown, in words.
        is_accepted: true if that one is the tumour.
    """

    tool: str = "look"
    mode: str = "replace"
    brush: float = 6.0
    ball: bool = True
    enhancement: float = 100 * FUNCTIONAL_ENHANCEMENT
    volume: str = "-"
    size: str = ""
    question: str = ""
    answers: list[str] = field(default_factory=list)
    lesions: list[dict[str, str]] = field(default_factory=list)
    lesion: str = ""
    candidate: str = ""
    is_accepted: bool = False
    can_undo: bool = False
    can_redo: bool = False
    can_save: bool = False
    is_from_dicom: bool = False


class TumourSection:
    """Choose a tool for the mouse, and undo."""

    def __init__(self, server: Server, work: Work, session: Session, scene: PageScene, views: Views) -> None:
        self._tumour, self._scene, self._views = session.tumour, scene, views
        self._candidates = session.candidates
        self.state = TypedState(server.state, TumourState)
        name = self.state.name
        work.watch(self.state, {name.tool: self._select_tool, name.enhancement: self._set_enhancement})
        work.watch(self.state, {name.brush: self._shape_brush, name.ball: self._shape_brush})
        work.watch(self.state, {name.mode: self._set_mode, name.lesion: self._choose_lesion})
        scene.on_open.append(self._reset_tool)

    def refresh(self) -> None:
        """Show what the session holds."""
        data, tumour = self.state.data, self._tumour
        data.can_undo, data.can_redo = tumour.history.can_undo, tumour.history.can_redo
        data.volume, data.size, data.question, data.mode = tumour.volume, tumour.size, tumour.question, tumour.mode
        data.answers = list(tumour.answers)
        data.lesions = [{"key": lesion.key, "name": lesion.name} for lesion in tumour.lesions]
        data.lesion = tumour.active.key if tumour.active is not None else ""
        data.can_save = any(lesion.snapshot.box for lesion in tumour.lesions)
        data.is_from_dicom, data.candidate = self._scene.is_from_dicom, self._candidates.words
        data.is_accepted = self._candidates.is_accepted

    def open_mask(self, folder: Path) -> None:
        """Put a mask that a browser sent in the place of the tumour; its file is deleted, read or not."""
        if not self._tumour.load(partial(_read_mask, folder)):
            shutil.rmtree(folder, ignore_errors=True)

    def release(self) -> None:
        """Take the tool out of the hand."""
        self._reset_tool()

    def _reset_tool(self) -> None:
        self.state.data.tool = "look"
        self._select_tool("look")

    def _select_tool(self, tool: str) -> None:
        if not self._scene.is_open:
            return
        self._views.set_press({"look": self._views.scroll_to, "grow": self._grow}.get(tool))
        if tool in _EFFECTS:
            self._views.create_all()  # a view that is made after a brush has no hold of it
        self._scene.editor.set_active_effect_type(_EFFECTS.get(tool, SegmentationEffectNoTool))
        self._shape_brush()

    def _shape_brush(self, *_args: object) -> None:
        if self.state.data.tool in _EFFECTS:
            effect = self._scene.editor.get_effect(_EFFECTS[self.state.data.tool])
            effect.set_brush_diameter(float(self.state.data.brush), BrushDiameterMode.Absolute)
            effect.set_use_sphere_brush(self.state.data.ball)

    def _set_enhancement(self, percent: float) -> None:
        self._tumour.set_enhancement(float(percent) / 100)

    def _set_mode(self, mode: str) -> None:
        if mode != self._tumour.mode and mode in [value for value, *_ in _MODES]:
            self._tumour.set_mode(mode)  # type: ignore[arg-type]

    def _choose_lesion(self, key: str) -> None:
        if self._tumour.active is not None and key != self._tumour.active.key:
            self._tumour.choose(key)

    def _grow(self, position: tuple[float, float, float]) -> None:
        self._tumour.grow(position, self._reset_tool)

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        with html.Div(classes="d-flex flex-wrap align-center mb-2"):
            choice(name.tool, _TOOLS, id="tool", disabled=(f"!!{busy}",))
            v3.VSpacer()
            for key, title, click, possible in (
                ("undo", "Undo (Ctrl+Z)", self._tumour.undo, name.can_undo),
                ("redo", "Redo (Ctrl+Shift+Z)", self._tumour.redo, name.can_redo),
            ):
                icon = {"icon": f"mdi-{key}", "title": title, "size": "small", "variant": "text", "density": "compact"}
                v3.VBtn(click=click, disabled=(f"!{possible}",), id=key, **icon)
        with html.Div(v_if=(f"['paint', 'erase'].includes({name.tool})",)):
            slider(name.brush, "Brush", "brush", (1, 40, 1), f"{name.brush} + ' mm'")
            checkbox(name.ball, "Also in adjacent slices", "ball")
            for text, box, key in _GROW_DRAWN:
                grow = partial(self._tumour.grow_from_drawn, self._reset_tool, box=box)
                more = {"size": "small", "variant": "tonal", "classes": "mt-1 mr-2", "id": key}
                v3.VBtn(text, click=grow, disabled=(f"!!{busy}",), **more)
        with html.Div(v_if=(f"{name.tool} === 'grow'",)):
            choice(name.mode, _MODES, id="mode", classes="mb-2")
            shown = f"{name.enhancement} + ' %'"
            slider(name.enhancement, "Minimum enhancement", "enhancement", (20, 200, 5), shown)
        self._build_candidates(f"!!{busy}")
        self._build_lesions()
        html.Div(f"{{{{ {name.size} }}}}", v_if=(name.size,), classes="text-caption", id="size")
        text = f"Functional tumour volume: {{{{ {name.volume} }}}}"
        html.Div(text, v_if=(f"{name.volume} !== '-'",), classes="text-caption", id="volume")
        self._build_files(f"!!{busy}")

    def build_question(self) -> None:
        """Write what a click asks, which stays in sight while the panel is scrolled."""
        name = self.state.name
        with v3.VAlert(v_if=(name.question,), type="warning", density="compact", classes="my-2", id="question"):
            html.Div(f"{{{{ {name.question} }}}}")
            for number, key in enumerate(("grow-anyway", "leave-it")):
                answer = {"click": partial(self._tumour.answer, number == 0), "id": key}
                v3.VBtn(f"{{{{ {name.answers}[{number}] }}}}", size="small", classes="mt-1 mr-2", **answer)

    def _build_candidates(self, off: str) -> None:
        """Write the button *Find tumours*, and the candidate that is shown."""
        name, candidates = self.state.name, self._candidates
        v3.VBtn("Find tumours", click=candidates.find, disabled=(off,), size="small", variant="text", id="find")
        with html.Div(v_if=(name.candidate,), classes="text-caption"):
            html.Div(f"{{{{ {name.candidate} }}}}", id="candidate")
            for text, click, disabled, key in (
                ("Previous", partial(candidates.step, -1), "false", "candidate-previous"),
                ("Next", partial(candidates.step, 1), "false", "candidate-next"),
                ("Accept", candidates.accept, f"{off} || {name.is_accepted}", "candidate-accept"),
                ("Hide", candidates.dismiss, "false", "candidate-hide"),
            ):
                more = {"size": "small", "variant": "tonal", "classes": "mr-2", "disabled": (disabled,), "id": key}
                v3.VBtn(text, click=click, **more)

    def _build_lesions(self) -> None:
        """Write the list of lesions, if there are several."""
        name = self.state.name
        with html.Div(v_if=(f"{name.lesions}.length > 1",), classes="d-flex align-center my-1"):
            items = {"items": (name.lesions,), "item_title": "name", "item_value": "key", "id": "lesion"}
            v3.VSelect(v_model=(name.lesion,), label="Lesion to change", **items, **COMPACT)
            icon = {"icon": "mdi-delete", "title": "Remove this lesion", "size": "small", "variant": "text"}
            v3.VBtn(click=self._tumour.remove, id="remove-lesion", **icon)

    def _build_files(self, off: str) -> None:
        """Write the links that save the mask, and the form that sends one."""
        name = self.state.name
        with html.Div(v_if=(name.can_save,), classes="my-1"):
            html.A("Save mask", href=MASK, download=f"pcr-{MASK}", classes=f"{_BUTTON} mr-2", id="save-mask")
            dicom = {"href": MASK_DICOM, "download": f"pcr-{MASK_DICOM}", "classes": _BUTTON, "id": "save-mask-dicom"}
            html.A("as DICOM SEG", v_if=(name.is_from_dicom,), **dicom)
        form = {"action": "upload", "method": "post", "enctype": "multipart/form-data", "target": "sent"}
        with html.Details(classes="text-caption my-1"):
            html.Summary("Load a mask")
            with html.Form(id="upload-mask", **form):
                html.Input(type="file", name="mask", accept=",".join((*UPLOADED, ".gz", ".dcm")), style="width: 100%")
                html.Button("Load", type="submit", disabled=(off,), classes=_BUTTON, id="send-mask")


def _read_mask(folder: Path, geometry: Geometry) -> list[Lesion]:
    """Return the lesions of an uploaded mask and delete its folder; an error is reported without the folder's name."""
    try:
        return list(read_masks(uploaded_mask(folder) or folder, geometry, (ALL,)))
    except DataError as error:
        raise DataError(in_users_words(folder, str(error))) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
