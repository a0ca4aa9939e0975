"""Pictures of the panels, and of `pcr view`, on a simulated exam: `make screenshots`, into Resources/Screenshots."""

import os
import sys
import tempfile
from pathlib import Path

TESTING = Path(__file__).parents[2]
sys.path[:0] = [str(TESTING), str(TESTING / "Python")]


def main(out):
    os.environ["BREASTPCR_MODELS"] = tempfile.mkdtemp()
    from harness import session

    session.start()
    from PCRPredictorLib.mrml.nodes import show_overlay
    from PCRPredictorLib.phantom.patient import make_exam
    from support.panel_help import MODULE, choose, predict, view

    from harness.desk import Desk

    panel, exam = session.open_module(MODULE), make_exam(seed=1)
    desk = Desk(panel.parent, "PCR Predictor")
    nodes = choose(panel, exam)
    centre = exam.geometry.to_physical([n / 2 for n in exam.geometry.size])
    show_overlay(nodes["early"].GetScene(), nodes["early"], None, centre, 400)
    view("Red").node.JumpSliceByCentering(*(centre * [-1, -1, 1]))
    panel.session.enter(exam.clinical)
    predict(panel)
    panel.ui.renderingCheck.checked = True
    desk.save(out / "predictor-after.png", panel.ui.resultSection)
    panel.ui.compareButton.click()
    desk.save(out / "predictor-compare.png", panel.ui.resultSection)
    training(out, session, Desk)
    session.close_module(panel)


def training(out, session, desk_class):
    """Take pictures of PCR Training: a checked cohort, a running training, and its results."""
    import slicer
    from PCRPredictorLib.phantom.cohort import write_cohort
    from PCRPredictorLib.phantom.site import find_site
    from support.panel_help import TRAINING_MODULE

    folder = Path(tempfile.mkdtemp())
    write_cohort(folder / "hospital-A", 120, find_site("A"), seed=1)
    slicer.mrmlScene.Clear(False)
    panel = session.open_module(TRAINING_MODULE)
    desk = desk_class(panel.parent, "PCR Training")
    panel.ui.cohortPath.currentPath = str(folder / "hospital-A")
    panel.ui.checkButton.click()
    session.wait(lambda: not panel.cohort.checking, 60)
    panel.ui.reviewerEdit.text = "Reviewer"
    panel.open_patient(panel.cohort.patients[1])
    session.wait(lambda: not panel.background.busy)
    panel.ui.acceptButton.click()
    session.wait(lambda: not panel.background.busy)
    desk.save(out / "training-cohort.png")
    panel.ui.settingsSection.collapsed = False
    panel.ui.reviewSection.collapsed = True
    panel.ui.presetSelector.setCurrentIndex(panel.ui.presetSelector.findData("full"))
    panel.settings._fields["split.folds"].setValue(3)
    panel.ui.estimateButton.click()
    session.wait(lambda: panel.ui.estimateLabel.text.startswith("about"), 60)
    panel.ui.runPath.currentPath = str(folder / "run")
    panel.ui.startButton.click()
    session.wait(lambda: len(list((folder / "run").glob("fold_*/step2/weights.safetensors"))) > 1, 600)
    session.wait(lambda: panel.ui.chartsButton.enabled, 60)
    panel.ui.chartsButton.click()
    desk.save(out / "training-running.png", panel.ui.settingsSection)
    session.wait(lambda: not panel.run.running, 1200)
    panel.ui.settingsSection.collapsed = True
    panel.ui.resultsSection.collapsed = False
    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    panel.ui.explainButton.click()
    session.wait(lambda: not panel.background.busy, 60)
    desk.save(out / "training-results.png", panel.ui.runSection)
    session.close_module(panel)


def browser(out):
    """Take a picture of `pcr view` in a browser: the exam of the demonstration, predicted."""
    from PCRPredictorLib.commands.demo import write_demo
    from PCRPredictorLib.model.bundle import find_bundle, load_bundle
    from PCRPredictorLib.model.predictor import Predictor
    from PCRPredictorLib.mrml.scene import scene_here
    from support.browser_help import chromium, open_page, predict, serving, wait_until_idle

    with tempfile.TemporaryDirectory() as folder, chromium() as chrome:
        demo = Path(folder) / "demo-out"
        write_demo(demo, Predictor(load_bundle(find_bundle("phantom"))), "phantom", 1, lambda _line: None, scene_here)
        with serving(demo, "--model", "phantom") as (_process, address):
            page = open_page(chrome, address)
            predict(page)
            page.click("#rendering")
            wait_until_idle(page)
            page.evaluate("document.querySelector('.v-navigation-drawer__content').scrollTop = 0")
            page.screenshot(path=out / "view.png")


def shrink(out, width=1200):
    """Make WebP files of the pictures: a tenth of the size, and legible."""
    from PIL import Image

    for path in sorted(out.glob("*.png")):
        with Image.open(path) as picture:
            smaller = picture.convert("RGB").resize((width, round(picture.height * width / picture.width)))
        smaller.save(path.with_suffix(".webp"), quality=70, method=6)
        if path.name == "overlay.png":  # the Extensions Catalogue needs a PNG; few colours would spoil a colour scale
            smaller.resize((800, round(smaller.height * 800 / width))).save(path, optimize=True)
        else:
            path.unlink()


if __name__ == "__main__":
    browser(Path(sys.argv[1]))
    main(Path(sys.argv[1]))
    shrink(Path(sys.argv[1]))
