"""For a real Slicer, started by open_modules.sh: both modules open, close and open again without an error.

Slicer prints what is raised in a panel's set-up or slots, and goes on; so errors are counted here. Ends Slicer with an
exit code.
"""

import logging
import sys

import slicer

errors = []


def count(kind, error, trace):
    """Whatever Python raises beyond this file comes through here."""
    errors.append(error)
    sys.__excepthook__(kind, error, trace)


def look():
    """Open the modules and look at what the last lines of their set-up have made."""
    for name in ("PCRPredictor", "PCRTraining", "Welcome", "PCRPredictor", "PCRTraining"):
        slicer.util.selectModule(name)
        slicer.app.processEvents()
    predictor, training = slicer.modules.PCRPredictorWidget, slicer.modules.PCRTrainingWidget
    if predictor.session.model.bundle is None:
        raise RuntimeError("PCRPredictor: setup has not come to its end")
    if not (training.settings.content() if training.ready else training.ui.packagesLabel.text):
        raise RuntimeError("PCRTraining: setup has not come to its end")
    if not slicer.modules.sampleDataSources.get("BreastPCR"):
        raise RuntimeError("the sample exam is not among Slicer's sample data")


sys.excepthook = count
logging.info("BreastPCR: the test begins")
sys.stdout.write(f"log file: {slicer.app.errorLogModel().filePath}\n")
try:
    look()
except Exception:
    count(*sys.exc_info())
if not errors:
    sys.stdout.write("both modules opened\n")
slicer.util.exit(1 if errors else 0)
