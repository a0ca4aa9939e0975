"""Both panels on two screens, in Slicer's light and dark style: `python Testing/harness/pictures/screens.py FOLDER`.

With the word "predictor" or "training" behind it, only that panel.
"""

import os
import sys
import tempfile
from pathlib import Path

TESTING = Path(__file__).parents[2]
sys.path[:0] = [str(TESTING), str(TESTING / "Python")]
SIZES = ((1366, 768), (1920, 1080))


def main(out, wanted=("predictor", "training")):
    os.environ["BREASTPCR_MODELS"] = tempfile.mkdtemp()
    from harness import session

    session.start()
    from PCRPredictorLib.phantom.cohort import write_cohort
    from PCRPredictorLib.phantom.site import find_site

    out.mkdir(parents=True, exist_ok=True)
    if "training" in wanted:
        folder = Path(tempfile.mkdtemp()) / "hospital-A"
        write_cohort(folder, 24, find_site("A"), seed=1)
        _training(out, session, folder)
    if "predictor" in wanted:
        _predictor(out, session)


class Screens:
    """Saves pictures of a panel on every screen and in both styles.

    Args:
        panel: the widget object of a module.
    """

    def __init__(self, panel, title, out):
        from harness.desk import Desk

        self._desk, self._name, self._out = Desk(panel.parent, title, SIZES[0], framed=True), title.lower(), out
        self._panel = panel

    def save(self, state, scroll_to=None, *, views=False):
        """Save the pictures of a state, scrolled to a widget; the views are drawn anew on request, which is slow."""
        from harness.palettes import use_palette

        for k, size in enumerate(SIZES):
            self._desk.fit_screen(size)
            if hasattr(self._panel, "fit_screen"):
                self._panel.ui.patientSection.collapsed = False
                self._panel.fit_screen(self._desk.height)
            for theme in ("light", "dark"):
                use_palette(theme)
                path = self._out / f"{self._name}-{state}-{size[1]}-{theme}.png"
                self._desk.save(path, scroll_to, views=views and k == 0 and theme == "light")

    def close(self):
        self._desk.close()


def _predictor(out, session):
    import slicer
    from PCRPredictorLib.phantom.patient import make_exam
    from support.panel_help import MODULE, choose, predict

    panel, exam = session.open_module(MODULE), make_exam(seed=1)
    screens = Screens(panel, "Predictor", out)
    screens.save("empty")
    choose(panel, exam)
    screens.save("exam")
    panel.session.enter(exam.clinical)
    predict(panel)
    screens.save("result", panel.ui.predictFrame, views=True)
    for section in ("overlay", "model", "batch", "reading", "followUp"):
        getattr(panel.ui, f"{section}Section").collapsed = False
        screens.save(section, getattr(panel.ui, f"{section}Section"))
    session.close_module(panel)
    screens.close()
    slicer.mrmlScene.Clear(False)


def _training(out, session, folder):
    from support.panel_help import TRAINING_MODULE

    panel = session.open_module(TRAINING_MODULE)
    screens = Screens(panel, "Training", out)
    screens.save("empty")
    panel.ui.cohortPath.currentPath = str(folder)
    panel.ui.checkButton.click()
    session.wait(lambda: not panel.cohort.checking, 240)
    screens.save("cohort")
    for section in ("review", "settings", "run", "results", "adapt"):
        getattr(panel.ui, f"{section}Section").collapsed = False
        screens.save(section, getattr(panel.ui, f"{section}Section"))
    session.close_module(panel)
    screens.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *[sys.argv[2:]] * (len(sys.argv) > 2))
