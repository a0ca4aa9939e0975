"""What a browser shows before the page itself: at once, with what is going on, in the colours of the page."""

from __future__ import annotations

import re

from PCRPredictorLib.prediction import RESEARCH_USE_ONLY

_STYLE = """<style>
  :root { color-scheme: dark; } /* of scrollbars, too */
  html { background: #121212; }
  #waiting { color: #eee; font-family: Roboto, system-ui, sans-serif; margin: 30vh auto 0; max-width: 30rem; }
  #waiting progress { width: 100%; }
</style>"""
_PART = '<div id="waiting"><h1>BreastPCR</h1><p>{research}</p><p role="status">{doing}</p><progress></progress></div>'
_LOADER = re.compile(r'<div id="app">\s*</div>\s*<script>.*?</script>', re.DOTALL)  # trame's own, white
_STARTING = (
    "Starting: this machine loads Slicer's core and the network, which takes a few seconds after pcr view began. "
    "The page follows by itself."
)
_OPENING = "Opening the page: its programs are loaded and its views are made."
_EVERY = 1  # second between two questions if the page has begun


def waiting_page() -> str:
    """Return what is shown until the process of the first page has begun; it asks again by itself."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="{_EVERY}">'
        f"<title>BreastPCR</title>{_STYLE}</head><body>{_part(_STARTING)}</body></html>"
    )


def with_loader(index: str) -> str:
    """Return the index of trame's client with what is shown until the client has loaded, in place of its own."""
    part = f'<div id="app">{_part(_OPENING)}</div>'
    return _LOADER.sub(lambda _found: part, index).replace("</head>", f"{_STYLE}</head>")


def _part(doing: str) -> str:
    return _PART.format(research=RESEARCH_USE_ONLY, doing=doing)
