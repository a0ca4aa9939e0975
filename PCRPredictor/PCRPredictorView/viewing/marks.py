"""What is written over a view, and keys that must not reach it."""

from __future__ import annotations

from functools import partial

from PCRPredictorLib.mrml.exam import Node
from trame.widgets import html
from trame_slicer.views import AbstractView

LABEL = "position: absolute; pointer-events: none; color: white; text-shadow: 0 0 3px black"  # style, over a view
FIRST = 10.0  # priority of an observer that runs before Slicer's own
_KEYS = ("KeyPressEvent", "CharEvent", "KeyReleaseEvent")


def ignore_keys(view: AbstractView) -> None:
    """Keep keys from VTK. It would treat them as in a desktop window: `e` and `q` end the process."""
    interactor = view.interactor()
    for event in _KEYS:
        tags: list[int] = []
        tags.append(interactor.AddObserver(event, partial(_abort, tags), FIRST))


def _abort(tags: list[int], interactor: Node, _event: str) -> None:
    """Keep an event from the observers that follow; `tags` holds the tag of this one."""
    interactor.GetCommand(tags[0]).AbortFlagOn()


def label(text: str) -> None:
    """Write a view's name into its corner."""
    html.Div(text, style=f"top: 4px; left: 8px; {LABEL}")


def write_place(sides: str, place: str) -> None:
    """Write the patient's sides at a view's edges and the slice that it shows, fields of the page's state."""
    html.Div(f"{{{{ {place} }}}}", classes="text-caption", style=f"right: 44px; top: 4px; {LABEL}")
    for number, edge in enumerate(
        ("left: 6px; top: 50%", "right: 6px; top: 50%", "left: 50%; top: 4px", "left: 50%; bottom: 44px")
    ):
        html.Div(f"{{{{ {sides}[{number}] }}}}", style=f"{edge}; {LABEL}")


def reset_button(view: AbstractView) -> None:
    """Write the button that shows the whole exam in a view."""
    with html.Div(style="position: absolute; top: 2px; right: 6px;"):
        html.Button(
            "Fit", click=view.reset_view, title="Show the whole exam", style="color: white; text-shadow: 0 0 3px black;"
        )


def write_space(view: AbstractView, is_mip: str) -> None:
    """Write what a 3D view has: its name, a cube with the letters of the patient's sides, and the button.

    Args:
        is_mip: field of the state that is true while the MIP is shown.
    """
    view.render_window().SetMultiSamples(0)  # multisampling hides translucent objects under depth peeling
    ignore_keys(view)
    node = view.get_view_node()
    node.SetOrientationMarkerType(node.OrientationMarkerTypeCube)
    node.SetOrientationMarkerSize(node.OrientationMarkerSizeSmall)
    label(f"{{{{ {is_mip} ? 'MIP of the subtraction' : '3D' }}}}")
    reset_button(view)
