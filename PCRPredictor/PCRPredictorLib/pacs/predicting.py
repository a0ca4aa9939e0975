"""Predict a study of a PACS: the one way of command, page, panel and `watch`.

A page or panel that shows the exam before it is predicted takes the same steps one by one: `find_study`, `fetch_study`,
its own prediction, and `store`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..calls.one_exam import PredictedExam, predict_exam, with_tumour
from ..dicom.source import WITHOUT
from ..errors import DataError
from ..exam import Exam
from ..reading.sources import given_source
from ..writing import temporary_folder
from .connection import Connection
from .fetching import NONE, Fetched, choose_images, choose_segmentation, fetch_study
from .sending import results_in
from .storing import Item, plan, store
from .studies import find_study

if TYPE_CHECKING:
    from ..finding.find import Candidate
    from ..model.predictor import Predictor
    from ..outputs import SceneWriter

_WORDS = {  # of messages about files
    "give a folder with": "name with --series",
    WITHOUT: "predict without --store",
    "give its folder by --dicom": "predict without --store",
}


@dataclass(frozen=True, kw_only=True)
class StudyRequest:
    """A study, and what is wanted of it.

    Args:
        study: its UID.
        series: UIDs or numbers of the series with the phases; empty for all MR images.
        segmentation: UID or number of the series with the mask; "" for the study's own, "none" for none.
        mask: file with the mask, instead of one of the study.
        labels: of the tumours in the mask, see `read_masks`.
        find_tumour: find the tumour instead.
        place: LPS mm of a click, or of two corners of a box, that the tumour grows from instead; see `with_tumour`.
        anyway: use what grows there even if it does not look like a mass.
        clinical: values by name.
        pick: positions of pre, early and late among the phases, from 0.
        operating_point: its name, None for the model's first.
        does_it_matter: see `predict_exam`.
        show_patient_id: name the patient in the report.
        store: send the results to the PACS.
        dry_run: list what would be sent, and send nothing.
        keep: folder for what is fetched; None for a temporary one.
    """

    study: str
    series: tuple[str, ...] = ()
    segmentation: str = ""
    mask: Path | None = None
    labels: tuple[int | str, ...] = ()
    find_tumour: bool = False
    place: tuple[float, ...] = ()
    anyway: bool = False
    clinical: Mapping[str, object] = field(default_factory=dict)
    pick: tuple[int, ...] = ()
    operating_point: str | None = None
    does_it_matter: bool = False
    show_patient_id: bool = False
    store: bool = False
    dry_run: bool = False
    keep: Path | None = None

    @property
    def has_own_mask(self) -> bool:
        """Return True if the tumour does not come from the PACS."""
        return self.mask is not None or self.find_tumour or bool(self.place)


@dataclass(frozen=True, eq=False)
class StudyResult:
    """A study as it was predicted.

    Args:
        candidates: places that look like a tumour, if it was found.
        items: that were stored, were there already or, in a dry run, would be sent; empty if nothing is sent.
    """

    fetched: Fetched
    predicted: PredictedExam
    candidates: tuple[Candidate, ...] = ()
    items: tuple[Item, ...] = ()


def predict_study(
    connection: Connection,
    request: StudyRequest,
    predictor: Predictor,
    out: Path,
    scene_writer: SceneWriter | None = None,
    on_written: Callable[[StudyResult], object] = lambda _: None,
) -> StudyResult:
    """Fetch a study, predict it, write the files of the result and, if that is asked for, store it.

    Args:
        connection: its `say` is called with what is done.
        out: folder of the files, see `write_prediction`.
        scene_writer: see there; None for no scene.
        on_written: called with what is in `out`, before anything is sent.

    Raises:
        PacsError: if the PACS does not do its part; results that could not be stored lie in `out`.
        DataError: if the study cannot be predicted, or its tumour is not known.
    """
    sends = request.store or request.dry_run
    with _folder(request.keep) as folder:
        fetched = fetch_exam(connection, request, folder)
        with _of_study(fetched):
            exam, candidates = with_tumour(_read(fetched, request), request.find_tumour, request.place, request.anyway)
            found = predict_exam(
                exam, predictor, request.operating_point, does_it_matter=request.does_it_matter, dicom=sends
            )
            named, scene = request.show_patient_id, scene_writer is not None
            found.write(out, show_patient_id=named, dicom=sends, scene=scene, scene_writer=scene_writer)
    written = StudyResult(fetched, found, candidates)
    on_written(written)
    files = results_in(out) if sends else []
    items = (plan if request.dry_run else store)(connection, files) if sends else []
    return replace(written, items=tuple(items))


def fetch_exam(connection: Connection, request: StudyRequest, folder: Path) -> Fetched:
    """Fetch what a request needs of its study into a folder.

    Raises:
        PacsError, DataError: as `fetch_study`; or if the study has no segmentation and no tumour is given.
    """
    study = find_study(connection, request.study)
    segmentation = NONE if request.has_own_mask else request.segmentation
    choose_images(study, request.series)
    if not request.has_own_mask and choose_segmentation(study, segmentation) is None:
        earlier = next((one for one in study.results if one.modality == "SEG"), None)
        more = "" if earlier is None else f"; that of an earlier result with --segmentation {earlier.uid}"
        raise DataError(
            f"study {study.uid} has no segmentation of a tumour; give --mask FILE, --click X Y Z or --find-tumour{more}"
        )
    fetched = fetch_study(connection, study, folder, request.series, segmentation)
    for note in fetched.notes:
        connection.say(note)
    return fetched


def _read(fetched: Fetched, request: StudyRequest) -> Exam:
    """Read what was fetched as a folder of DICOM files is read."""
    source = given_source([], fetched.folder, request.pick)
    return source.with_overrides(request.mask or fetched.segmentation, request.clinical, request.labels).read()


@contextmanager
def _of_study(fetched: Fetched) -> Iterator[None]:
    """Let messages name the study instead of a folder, and the options of a PACS instead of those of files."""
    try:
        yield
    except DataError as error:
        said = str(error).replace(str(fetched.folder), f"study {fetched.study.uid}")
        for words, instead in _WORDS.items():
            said = said.replace(words, instead)
        raise DataError(said) from error.__cause__


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with temporary_folder(Path(tempfile.gettempdir()), "pacs") as folder:
        yield folder / "study"
