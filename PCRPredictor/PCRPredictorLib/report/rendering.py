"""Pages from Jinja2 templates, all with one stylesheet; they load nothing from elsewhere and run no script."""

from __future__ import annotations

import base64
import re
from datetime import date
from functools import cache
from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..formatting import format_percent, format_value, make_visible
from ..prediction import RESEARCH_USE_ONLY

TEMPLATES = Path(__file__).parent / "templates"
_ENTITY = re.compile(r"<(?=[A-Za-z/!?]|$)|&(?=[A-Za-z#]|$)|^>")


def render(template: str, folder: Path = TEMPLATES, **values: object) -> str:
    """Return a page.

    Args:
        template: name of a file in `folder`; in an HTML template every value is escaped.
        folder: of templates, which may extend and import those of this room.
        values: that the template names; a name without a value is an error.
    """
    return _environment(folder).get_template(template).render(values)


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "value": format_value,
        "percent": format_percent,
        "data_uri": _data_uri,
        "markdown": _escape_markdown,
    }
    environment.globals["disclaimer"] = RESEARCH_USE_ONLY
    environment.globals["today"] = lambda: date.today().isoformat()
    return environment


def _finalize(value: object) -> object:
    """Return a value that turns or hides nothing on the page."""
    return make_visible(value) if type(value) is str else value  # Markup is of our own templates


def _data_uri(content: bytes | str, kind: str) -> str:
    data = content.encode() if isinstance(content, str) else content
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _escape_markdown(text: str) -> str:
    """Return text that Markdown shows unchanged, on one line.

    Only what could begin a tag, an address, an entity or, at the start of a line, a quotation is written as an entity:
    the others, as in "< 0.001", can be read in the file itself.
    """
    line = _ENTITY.sub(lambda found: escape(found[0], quote=False), " ".join(text.split()))
    return re.sub(r"([\\`*\[\]|])", r"\\\1", line)
