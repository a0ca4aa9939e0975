"""From an exam to a prediction: the fold ensemble reads the tumour's window; its attention is shown on the exam."""

import platform
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

from .. import __version__
from ..clinical import Value
from ..errors import DataError, Notice
from ..evidence import Basis, Evidence
from ..exam import Exam, Lesion
from ..lesion.body import Body, outline_body
from ..lesion.exam_check import check_exam
from ..lesion.mask_check import check_mask
from ..lesion.measurements import measure_lesion
from ..prediction import LesionPrediction, Measurements, Prediction
from .additive import AdditiveModel, ClinicalBranches
from .attention import summarise_attention, to_attention_map
from .bundle import Bundle
from .calibration import average, average_logit, calibrate
from .card import installed_version
from .ensemble import Ensemble, Reading
from .grid import Window, place_window, share_inside, spread_in_exam
from .kinetics import QUANTITIES as MEASURED
from .kinetics import measure_quantities
from .mask_range import about_mask_range, mask_range, read_variants
from .normalisation import to_channels
from .notices import (
    about_clinical,
    about_clipped,
    about_evidence,
    about_lesions,
    about_result,
    about_source,
    about_timing,
    about_training_ranges,
    about_tumour,
    about_validation,
)
from .training_marks import about_training
from .tumour import QUANTITIES, measure, summarise_tumour

Look = Callable[[Exam], Future[tuple[list[Notice], Measurements]]]
_LARGEST_LOGIT = 1e6  # before calibration; no network that was trained comes near it


def check_device(device: str) -> None:
    """Refuse a torch device that this machine has not.

    Raises:
        DataError: saying so.
    """
    if not (device == "cpu" or (device.startswith("cuda") and torch.cuda.is_available())):
        raise DataError(f"device {device!r} is not available on this machine; use cpu")


class Predictor:
    """Predict exams with a loaded bundle; `predict` changes no state.

    Args:
        bundle: from `load_bundle`.
        device: a torch device, "cpu" or "cuda".

    Raises:
        DataError: if the bundle's network has no attention to show, its weights do not fit, or the device is missing.
    """

    def __init__(self, bundle: Bundle, device: str = "cpu") -> None:
        if not bundle.settings.network.get("attention"):
            raise DataError(
                f"{bundle.path}: its network has no attention; give a bundle of step 2 or 3 of the training"
            )
        check_device(device)
        unknown = {each.quantity for each in bundle.settings.familiar} - set(QUANTITIES)
        if unknown := unknown | {each.name for each in bundle.schema.measured} - set(MEASURED):
            raise DataError(
                f"{bundle.path}: needs {', '.join(sorted(unknown))}, which is not measured; update BreastPCR"
            )
        self.bundle = bundle
        self.device = device
        self._training_hashes = tuple(map(frozenset, bundle.training_hashes))
        networks = [network.for_inference() for network in bundle.load_networks(device)]
        self.ensemble = Ensemble(networks, bundle.settings.flips, device)
        branches = tuple(network.clinical_layers() for network in networks)
        self.additive = AdditiveModel(ClinicalBranches(bundle.schema, branches), bundle.settings)

    def predict(self, exam: Exam, operating_point: str | None = None) -> Prediction:
        """Predict the probability of pCR and the attention for one exam, for each of its tumours.

        Args:
            exam: with a mask.
            operating_point: name, or None for the bundle's default.

        Raises:
            DataError: if the exam or a clinical value cannot be used.
        """
        outline = cache(partial(outline_body, exam))  # once for all tumours, after the phases were checked
        with _blas().limit(limits=1), ThreadPoolExecutor(1) as beside:  # for what needs no network
            about_exam = beside.submit(self._about_exam, exam)

            def look(tumour: Exam) -> Future[tuple[list[Notice], Measurements]]:
                return beside.submit(_look_at, tumour, outline)

            if not exam.lesions:
                return self._warned(self._predict_tumour(exam, look, operating_point), about_exam.result())
            each = tuple(self._predict_lesion(exam, look, lesion, operating_point) for lesion in exam.lesions)
            notices = about_exam.result()
        each = tuple(replace(lesion, prediction=self._warned(lesion.prediction, notices)) for lesion in each)
        index = each[0].prediction
        covered = np.count_nonzero(exam.labelled_mask()) * exam.geometry.voxel_volume / 1000
        overlap = sum(lesion.prediction.tumour.volume_ml for lesion in each) - covered
        return replace(index, lesions=each, notices=(*index.notices, *about_lesions(each, round(overlap, 6))))

    def _about_exam(self, exam: Exam) -> tuple[Notice, ...]:
        """Return warnings about an exam that the model was trained on, or is not meant for."""
        return (*about_training(exam, *self._training_hashes), *about_validation(exam, self.bundle.card))

    @staticmethod
    def _warned(prediction: Prediction, notices: tuple[Notice, ...]) -> Prediction:
        basis = replace(prediction.basis, first_notices=notices) if prediction.basis else None
        return replace(prediction, notices=(*notices, *prediction.notices), basis=basis)

    def _predict_lesion(self, exam: Exam, look: Look, lesion: Lesion, operating_point: str | None) -> LesionPrediction:
        """Predict one of several tumours; an error names it."""
        alone = replace(exam, mask=lesion.mask, lesions=())
        try:
            found = self._predict_tumour(alone, look, operating_point)
        except DataError as error:
            raise DataError(f"{lesion.name}: {error}; or leave this lesion out") from None
        return LesionPrediction(lesion.name, found, lesion.label)

    def _predict_tumour(self, exam: Exam, look: Look, operating_point: str | None) -> Prediction:
        settings, schema = self.bundle.settings, self.bundle.schema
        point = self.bundle.operating_point(operating_point)
        check_exam(exam)
        seen = look(exam)
        values = schema.parse({**exam.provenance.table, **exam.clinical})
        mask = np.asarray(exam.mask) != 0
        window = place_window(mask, exam.geometry, settings.grid)
        quantities = measure_quantities(exam, schema)
        # with the clinical values, and without them for the image alone
        complete, measured = (schema.complete(given, quantities) for given in (values, {}))
        clinical = np.stack([schema.encode(given) for given in (complete, measured)])
        reading = self.ensemble.read(to_channels(exam, window), clinical)
        if (
            not np.isfinite((reading.logits, reading.image_logits)).all()
            or np.abs(reading.logits).max() > _LARGEST_LOGIT
        ):
            raise DataError(f"{self.bundle.path}: its networks gave no possible number; it is damaged, get it again")
        attention = to_attention_map(reading.attention, window)
        summary = summarise_attention(attention, mask, exam.geometry, window.region)
        tumour = summarise_tumour(exam)
        evidence, evidence_map = self._explain(reading, complete, window)
        variants = read_variants(exam, reading, self.ensemble, settings.grid, schema)
        mask_notices, measurements = seen.result()
        notices = (
            *mask_notices,
            *about_tumour(tumour, share_inside(mask, window), settings.grid.window),
            *about_timing(exam.provenance, settings.times),
            *about_training_ranges(measure(exam, tumour), settings.familiar),
            *about_source(exam.provenance),
        )
        found = Prediction(
            **self._numbers(reading.logits),
            image_probability=self._average(reading.image_logits),
            operating_point=point,
            attention=attention,
            attention_summary=summary,
            tumour=tumour,
            clinical={},
            notices=notices,
            model=self.bundle.identity,
            versions=library_versions(),
            measurements=measurements,
            evidence=evidence,
            evidence_map=evidence_map,
            basis=Basis(reading.network_logits, quantities, *variants, notices),
        )
        return self._with_values(found, {**exam.provenance.table, **exam.clinical})

    def what_if(self, prediction: Prediction, clinical: Mapping[str, object]) -> Prediction:
        """Return the prediction with other clinical values, of every tumour, without running a network.

        Args:
            prediction: of this predictor.
            clinical: all values as they were written, as in `Exam.clinical`; what is missing is unknown.

        Raises:
            DataError: for a value outside the schema.
        """
        schema = self.bundle.schema
        values = schema.parse(clinical)
        if prediction.lesions:
            each = tuple(
                replace(lesion, prediction=self.what_if(lesion.prediction, clinical)) for lesion in prediction.lesions
            )
            index = each[0].prediction
            overlap = [notice for notice in prediction.notices if notice.code == "lesions_overlap"]
            return replace(index, lesions=each, notices=(*index.notices, *about_lesions(each, 0.0), *overlap))
        basis = prediction.basis
        if basis is None:
            raise DataError("this result does not hold what other values need; predict the exam again")
        complete = schema.complete(values, basis.quantities)
        logits = self.additive.logits(basis.image_logits, complete)
        map_sum = prediction.evidence.map_sum if prediction.evidence else None
        evidence = replace(self.additive.explain(basis.image_logits, complete), map_sum=map_sum)
        return self._with_values(replace(prediction, **self._numbers(logits), evidence=evidence), clinical)

    def _numbers(self, logits: np.ndarray) -> dict[str, Any]:
        """Return probability, interval and probabilities of the folds from their logits, (F,)."""
        if not np.isfinite(logits).all():
            raise DataError(
                f"{self.bundle.path}: its networks gave no finite number; the bundle is damaged, get it again"
            )
        each = calibrate(logits, self.bundle.settings.calibration)
        return {
            "probability": self._average(logits),
            "interval": (float(each.min()), float(each.max())),
            "fold_probabilities": tuple(each.tolist()),
        }

    def _with_values(self, found: Prediction, given: Mapping[str, object]) -> Prediction:
        """Return a prediction with what depends on the clinical values, as they were written, beside its numbers."""
        schema, basis = self.bundle.schema, found.basis
        values = schema.parse(given)
        if basis is None or found.evidence is None:
            return found
        mask_interval = mask_range(basis, self.additive, values)
        notices = (
            *basis.first_notices,
            *about_result(found.interval, found.operating_point, found.attention_summary),
            *about_mask_range(mask_interval, found.interval, found.operating_point),
            *basis.notices,
            *about_clinical(schema, values, given),
            *about_clipped(schema.find_clipped(values, basis.quantities)),
            *about_evidence(found.evidence),
        )
        return replace(found, clinical=schema.describe(values), mask_interval=mask_interval, notices=notices)

    def _average(self, logits: np.ndarray) -> float:
        """Return the probability of the ensemble from the logits of its folds, (F,)."""
        settings = self.bundle.settings
        return float(average(logits[:, None], settings.calibration, settings.averaging)[0])

    def _explain(self, reading: Reading, values: Mapping[str, Value], window: Window) -> tuple[Evidence, np.ndarray]:
        """Return the sum behind the probability, and the image's term divided among the voxels: (k, j, i).

        A place adds its share of the attention times its own logit, see `ensemble.contributions`, less that share of
        the image logit of a typical training patient: so the map is signed, and its sum is the image's term.
        """
        settings = self.bundle.settings
        typical = settings.typical.image if settings.typical else 0.0
        parts = settings.calibration[0] * (reading.contributions - typical * reading.attention)
        found = spread_in_exam(parts, window)
        evidence = self.additive.explain(reading.network_logits, values)
        shown = average_logit(reading.logits[:, None], settings.calibration, settings.averaging)
        map_sum = float(found[window.region].sum(dtype=np.float64))
        return replace(evidence, logit=float(shown[0]), map_sum=map_sum), found


@cache
def _blas() -> ThreadpoolController:
    """Return the control of the threads of NumPy's matrix products: for small ones they only wait for each other."""
    return ThreadpoolController().select(user_api="blas")


def _look_at(exam: Exam, outline: Callable[[], Body | None]) -> tuple[list[Notice], Measurements]:
    """Return warnings about the mask, and the measurements of the tumour."""
    return check_mask(exam, outline()), measure_lesion(exam, outline())


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that a prediction is made with."""
    return {
        "breastpcr": __version__,
        "torch": str(torch.__version__),  # of a class of torch, which would have to be loaded to copy a result
        "monai": installed_version("monai"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
