"""For a real Slicer: both modules open, close and open again without an error. Ends Slicer with an exit code.

Slicer --testing --additional-module-paths PCRPredictor PCRTraining --python-script Testing/desktop/open_modules.py
"""

import sys
import traceback

import slicer

code = 0
try:
    for name in ("PCRPredictor", "PCRTraining", "Welcome", "PCRPredictor"):
        slicer.util.selectModule(name)
        slicer.app.processEvents()
    for name in ("PCRPredictor", "PCRTraining"):
        widget = getattr(slicer.modules, f"{name}Widget")
        if widget.logic is None:
            raise RuntimeError(f"{name}: setup has not come to its end")
    sys.stdout.write("both modules opened\n")
except Exception:
    traceback.print_exc()
    code = 1
slicer.util.exit(code)
