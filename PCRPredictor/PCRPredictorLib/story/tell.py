"""Write the story: page and picture."""

from __future__ import annotations

from pathlib import Path

from ..errors import DataError
from ..writing import whole_file, write_whole_text
from .facts import read_story
from .page import render_story
from .picture import save_story
from .scene import make_scene

PAGE, PICTURE = "story.html", "story.png"


def tell_story(out: Path, folder: Path | None = None) -> tuple[Path, Path]:
    """Simulate the patient, run the networks, and write `out/story.html` and `out/story.png`.

    Args:
        folder: of networks and facts; None for the one that ships.

    Raises:
        DataError: if the networks are missing or damaged, or the folder cannot be written.
    """
    facts, bundles = read_story(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose another folder") from None
    scene = make_scene(facts, bundles)
    write_whole_text(render_story(facts, scene), out / PAGE)
    with whole_file(out / PICTURE) as part:
        save_story(facts, scene, part)
    return out / PAGE, out / PICTURE
