"""Pictures of a stored result in OHIF, a viewer that is not ours, beside Orthanc: look at them.

    python Testing/benchmarks/pacs/ohif_pictures.py build/ohif [--style enhanced] [--docs Resources/Screenshots]
    python Testing/benchmarks/pacs/ohif_pictures.py build/ohif --dicom FOLDER --mask MASK [--model ispy2]

Without a folder, a simulated exam is written as a scanner writes it. It is predicted with DICOM results, exam and
results are stored in an Orthanc of its own, and Chromium opens them in OHIF: the Segmentation over its series, both
Parametric Maps, and the report. What the page reports to its console is printed. Chromium draws in software, so that a
picture takes about 20 s. npm fetches OHIF once, into the folder of `--cache`.
"""

import argparse
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parent)]
from ohif_server import fetch_viewer, serving_viewer  # noqa: E402
from PCRPredictorLib.command_line import app, run  # noqa: E402
from PCRPredictorLib.dicom.exam import read_dicom_exam  # noqa: E402
from PCRPredictorLib.exam import Exam, Geometry  # noqa: E402
from PCRPredictorLib.phantom.patient import make_exam  # noqa: E402
from PCRPredictorLib.reading.images import read_volume  # noqa: E402
from PCRPredictorLib.writing import write_nifti  # noqa: E402
from support.browser_help import CHROMIUM  # noqa: E402
from support.dicom_exam import write_dicom_exam, write_enhanced_exam  # noqa: E402
from support.pacs.orthanc import Orthanc  # noqa: E402

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--ignore-gpu-blocklist", "--disable-background-networking", "--no-first-run"]  # fmt: skip
SIZE = {"width": 1400, "height": 860}
OBJECTS = {
    "segmentation": "Tumour segmentation",
    "attention": "Attention",
    "evidence": "Evidence",
    "report": "Prediction",
}
STYLES = ("siemens", "ge", "philips", "enhanced", "enhanced-apart")
SETTLED_MS = 3000
_UID = "1.2.826.0.1.3680043.8.498.77"


@dataclass(frozen=True)
class Study:
    """A stored exam with its results, and the slice of its series, from 1, in the middle of the tumour."""

    uid: str
    middle: int


def write_phantom(folder: Path, style: str) -> tuple[Path, Path]:
    """Write a simulated exam in the style of a scanner; return its folder and its mask."""
    made = make_exam(seed=5)
    exam = Exam(*(np.rint(phase).astype(np.int16) for phase in made.phases), made.geometry, made.mask)
    tags = {"StudyInstanceUID": f"{_UID}.1", "FrameOfReferenceUID": f"{_UID}.2", "StudyDate": "20260101"}
    tags |= {"PatientID": "PHANTOM", "PatientName": "Phantom"}
    if style.startswith("enhanced"):
        write_enhanced_exam(folder / "exam", exam, apart=style == "enhanced-apart", series=f"{_UID}.3", header=tags)
    else:
        write_dicom_exam(folder / "exam", exam, style, **tags)
    write_nifti(exam.mask, exam.geometry, folder / "mask.nii.gz")
    return folder / "exam", folder / "mask.nii.gz"


def store(archive: Orthanc, exam: Path, mask: Path, model: str, out: Path) -> Study:
    """Predict and store exam and results."""
    words = ["--dicom", exam, "--mask", mask, "--model", model, "--out", out, "--dicom-results"]
    if code := run(app, ["predict", *map(str, words)]):
        sys.exit(code)
    archive.upload(exam)
    archive.upload(out / "dicom")
    tumour = read_volume(out / "tumour.nii.gz")[0]
    slices = np.flatnonzero(tumour.any(axis=(1, 2)))
    return Study(
        pydicom.dcmread(out / "dicom" / "report.dcm").StudyInstanceUID,
        number_of_slice(read_dicom_exam(exam).geometry, int(np.median(slices))),
    )


def number_of_slice(geometry: Geometry, k: int) -> int:
    """Return the number of slice k as OHIF counts: from 1, against the normal of rows and columns."""
    row, column, along = geometry.direction.T
    return k + 1 if np.cross(row, column) @ along < 0 else geometry.size[2] - k


def open_object(page, address: str, study: Study, name: str) -> None:
    """Open the study anew, then one of its objects, and wait until it is drawn."""
    page.goto(f"{address}/viewer?StudyInstanceUIDs={study.uid}")
    item = page.locator("[data-cy=study-browser-thumbnail-no-image]", has_text=OBJECTS[name])
    item.wait_for()
    page.wait_for_timeout(SETTLED_MS)
    if page.get_by_text("Skip all").count():
        page.get_by_text("Skip all").click()
    item.dblclick()
    if name == "report":
        page.get_by_text("Measurement Group").wait_for()
        return
    if name == "segmentation":
        page.get_by_role("button", name="Yes").click()
    page.wait_for_timeout(2 * SETTLED_MS)
    page.wait_for_function("!document.body.innerText.includes('Loading')", timeout=30_000)
    turn_to(page, study.middle)


def turn_to(page, wanted: int) -> None:
    """Turn the wheel until the viewer names this slice."""
    page.mouse.move(SIZE["width"] * 0.55, SIZE["height"] * 0.55)
    for _ in range(200):
        shown = re.search(r"\((\d+)/\d+\)", page.locator("[data-cy=viewport-overlay-bottom-right]").inner_text())
        if shown is None or int(shown[1]) == wanted:
            break
        page.mouse.wheel(0, 100 if int(shown[1]) < wanted else -100)
        page.wait_for_timeout(100)
    page.wait_for_timeout(SETTLED_MS)


def photograph(address: str, study: Study, out: Path) -> None:
    """Write a picture of each object, and print what the page complains of."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport=SIZE).new_page()
        page.set_default_timeout(90_000)
        page.on("console", lambda message: print(" ", message.text[:200]) if message.type == "error" else None)
        for name in OBJECTS:
            print(f"{name}:", flush=True)
            try:
                open_object(page, address, study, name)
            except Error as error:
                print(f"  not shown: {str(error).splitlines()[0]}")
            page.screenshot(path=out / f"{name}.png")
        (out / "report.txt").write_text(page.locator("[data-cy=viewport-pane]").inner_text(), encoding="utf-8")
        browser.close()


def write_docs(out: Path, folder: Path) -> None:
    """Write two small pictures for the documentation: the images of two objects side by side, and the report."""
    from PIL import Image

    parts = [Image.open(out / f"{name}.png").convert("RGB").crop((288, 52, 1362, 740)) for name in list(OBJECTS)[:2]]
    both = Image.new("RGB", (sum(part.width for part in parts), parts[0].height))
    both.paste(parts[0], (0, 0))
    both.paste(parts[1], (parts[0].width, 0))
    report = Image.open(out / "report.png").convert("RGB")
    for picture, name in ((both, "ohif-images"), (report, "ohif-report")):
        smaller = picture.resize((1200, round(picture.height * 1200 / picture.width)))
        smaller.save(folder / f"{name}.webp", quality=70, method=6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dicom", type=Path, help="folder of an exam; a simulated one without it")
    parser.add_argument("--mask", type=Path)
    parser.add_argument("--model", default="phantom")
    parser.add_argument("--style", choices=STYLES, default="siemens", help="of the simulated exam")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "breastpcr")
    parser.add_argument("--docs", type=Path, help="folder for the two pictures of the documentation")
    given = parser.parse_args()
    if bool(given.dicom) != bool(given.mask):
        parser.error("--dicom and --mask must be given together, or neither")
    viewer = fetch_viewer(given.cache)
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        exam, mask = (given.dicom, given.mask) if given.dicom else write_phantom(work, given.style)
        web = {"Enable": True, "Root": "/dicom-web/", "EnableWado": True, "WadoRoot": "/wado"}
        archive = Orthanc(work / "orthanc", options={"DicomWeb": web}).start()
        try:
            study = store(archive, exam, mask, given.model, work / "result")
            with serving_viewer(viewer, archive.port) as address:
                photograph(address, study, given.out)
        finally:
            archive.stop()
    if given.docs:
        write_docs(given.out, given.docs)


if __name__ == "__main__":
    main()
