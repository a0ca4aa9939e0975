"""Pictures of the panel and the views on a simulated exam: `make screenshots`, into Resources/Screenshots."""

import os
import sys
import tempfile
from pathlib import Path

TESTING = Path(__file__).parents[1]
sys.path[:0] = [str(TESTING), str(TESTING / "Python")]


def main(out):
    os.environ["BREASTPCR_MODELS"] = tempfile.mkdtemp()
    from harness import session

    session.start()
    from panel_help import MODULE, choose, predict, view
    from PCRPredictorLib.mrml import show
    from PCRTrainingLib.phantom import make_exam

    from harness.desk import Desk

    panel, exam = session.open_module(MODULE), make_exam(seed=1)
    desk = Desk(panel.parent, "PCR Predictor")
    nodes = choose(panel, exam)
    centre = exam.geometry.to_physical([n / 2 for n in exam.geometry.size])
    show(nodes["early"].GetScene(), nodes["early"], None, centre, 400)
    view("Red").node.JumpSliceByCentering(*(centre * [-1, -1, 1]))
    desk.save(out / "predictor-before.png")
    panel.form.fill(exam.clinical)
    predict(panel)
    panel.ui.renderingCheck.checked = True
    desk.save(out / "predictor-after.png", panel.ui.resultSection)
    panel.ui.compareButton.click()
    desk.save(out / "predictor-compare.png", panel.ui.resultSection)
    session.close_module(panel)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
