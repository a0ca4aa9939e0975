"""How a report prints on A4: its pages as pictures, and what does not fit their width."""

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

CONTENT_PX = 688  # 182 mm: A4 without the margins of the stylesheet, in CSS pixels
needs_pdftoppm = pytest.mark.skipif(
    not shutil.which("pdftoppm"), reason="needs pdftoppm: apt-get install poppler-utils"
)


def open_report(browser, html):
    """Open a report as it prints, as wide as A4 without its margins."""
    page = browser.new_context(viewport={"width": CONTENT_PX, "height": 900}).new_page()
    page.emulate_media(media="print")
    page.set_content(html)
    return page


def list_cut(page):
    """Return the text of every table, and of the whole page, that is wider than its place."""
    return page.evaluate(
        "[...document.querySelectorAll('.table, table, html')].filter(e => e.scrollWidth > e.parentElement?.clientWidth"
        " || e.scrollWidth > e.clientWidth + 1).map(e => e.innerText.slice(0, 60))"
    )


def filled_pages(page, folder):
    """Print a report; return how far down each page goes, as a share of its height."""
    page.pdf(path=str(folder / "report.pdf"), prefer_css_page_size=True, print_background=True)
    subprocess.run(["pdftoppm", "-r", "20", "-gray", folder / "report.pdf", folder / "page"], check=True)
    pages = [np.asarray(Image.open(path)) for path in sorted(folder.glob("page-*.pgm"))]
    return [(np.flatnonzero((picture < 250).any(1)).max(initial=0) + 1) / len(picture) for picture in pages]
