"""Whether Slicer's views can be drawn on this machine. Without an OpenGL library VTK ends the process."""

from __future__ import annotations

import ctypes
import sys

PACKAGES = "libegl1 libgl1-mesa-dri libgl1"


def opengl_missing() -> str:
    """Which library is missing for rendering off screen, "" if none is; other systems than Linux bring their own."""
    for library in ("libEGL.so.1", "libGL.so.1") if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError:
            return library
    return ""
