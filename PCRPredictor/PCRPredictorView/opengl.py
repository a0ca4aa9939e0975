"""Check that this machine can make and draw a page. Without an OpenGL library VTK ends the process."""

from __future__ import annotations

import ctypes
import importlib.util
import sys

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.extras.install import install_line

PACKAGES = "libegl1 libgl1-mesa-dri libgl1"
_NEEDED = ("slicer", "slicer_layer_dm", "trame_slicer", "aiohttp")


def opengl_missing() -> str:
    """Return the library that rendering off screen lacks, or "". Only Linux does not bring its own."""
    for library in ("libEGL.so.1", "libGL.so.1") if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError:
            return library
    return ""


def check_possible() -> None:
    """Look for what the page needs without loading it.

    Raises:
        DataError: if anything is missing; it names what to install.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise DataError(f"pcr view needs Slicer's core and trame; install them with: {install_line('view')}")
    if library := opengl_missing():
        raise DataError(f"pcr view draws with OpenGL, but {library} is missing: sudo apt-get install -y {PACKAGES}")
