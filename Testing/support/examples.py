"""A tiny exam, a made-up prediction of it, files of a tiny volume, and made-up results of models."""

import gzip
from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.evidence import Evidence, Possibility, Term
from PCRPredictorLib.exam import Exam, Geometry, Lesion, Provenance
from PCRPredictorLib.lesion.measurements import measure_lesion
from PCRPredictorLib.prediction import (
    AttentionSummary,
    LesionPrediction,
    ModelIdentity,
    OperatingPoint,
    Prediction,
    TumourSummary,
)

EXAMPLE_NOTICE = Notice("example", "An example of a warning.")
OUTPUTS = {  # of every prediction
    "prediction.json", "tumour.nii.gz", "attention.nii.gz", "evidence.nii.gz", "evidence.json", "overlay.png",
    "report.html",
}  # fmt: skip
BLOCKING = Notice("blocking", "Do not rely on this.", blocks_decision=True)
AUC = {"value": 0.73, "low": 0.67, "high": 0.79}
AXIAL = np.eye(3)
SAGITTAL = np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]], float)  # i to posterior, j to feet, k to the right
TILT = np.array([[0.8, 0, -0.6], [0, 1, 0], [0.6, 0, 0.8]])
CORONAL = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)
OBLIQUE = Geometry((8, 7, 6), (0.9, 1.1, 3.0), (-10.0, 20.0, 5.0), np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]))
ARRAY = np.arange(8 * 7 * 6, dtype=np.int16).reshape(6, 7, 8)  # a volume on that lattice


def tiny_exam(direction=AXIAL, size=(48, 40, 10), spacing=(1.5, 1.5, 3.0), identifier="SECRET-1"):
    """Return an exam of noise with an enhancing ball off the centre; arrays are int16, the mask uint8."""
    rng = np.random.default_rng(0)
    geometry = Geometry(size, spacing, (-20.0, -30.0, 10.0), direction)
    k, j, i = np.indices(geometry.shape)
    middle = np.array(size) * (0.6, 0.4, 0.5)
    offset = (np.stack([i, j, k], -1) - middle) * spacing
    ball = (offset**2).sum(-1) < 9**2
    base = rng.normal(200, 10, geometry.shape)
    phases = [(base + gain * ball).astype(np.int16) for gain in (0, 300, 250)]
    return Exam(*phases, geometry, ball.astype(np.uint8), {"age": 52}, Provenance("phantom", (0, 120, 400), identifier))


BREASTS = np.array(
    [[70.0, 0.0, 0.0], [-70.0, 0.0, 0.0]]
)  # centres, LPS mm: half balls of 60 mm on a chest behind y = 0
TUMOUR = np.array([70.0, -35.0, 10.0])


def whole_exam(direction=AXIAL, noise=3.0, tumour=TUMOUR, spacing=2.0):
    """Return two breasts with a tumour of 6 mm radius, in air; a lung lies in the chest."""
    extent = np.array([300.0, 180.0, 150.0])
    size = tuple(int(n) for n in np.rint(np.abs(np.linalg.inv(direction)) @ extent / spacing))
    geometry = Geometry(size, (spacing,) * 3, (0.0, 0.0, 0.0), direction)
    middle = geometry.to_physical((np.array(size) - 1) / 2)
    geometry = replace(geometry, origin=tuple(np.array([0.0, 10.0, 0.0]) - middle))
    k, j, i = np.indices(geometry.shape)
    x = geometry.to_physical(np.stack([i, j, k], -1))
    tissue = (x[..., 1] > 0) & (np.abs(x[..., 0]) < 140)
    for breast in BREASTS:
        tissue |= ((x - breast) ** 2).sum(-1) < 60**2
    lung = ((x - (40, 60, 0)) ** 2).sum(-1) < 30**2
    mask = ((x - tumour) ** 2).sum(-1) < 6**2
    rng = np.random.default_rng(0)
    pre = np.abs(100.0 * (tissue & ~lung) + rng.normal(0, noise, geometry.shape))
    early = pre + 120 * mask
    return Exam(pre.astype(np.int16), early.astype(np.int16), early.astype(np.int16), geometry, mask.astype(np.uint8))


def two_lesions(exam=None):
    """Return an exam, by default the tiny one, whose ball is cut into the lesions "left" and, larger, "right"."""
    exam = exam or tiny_exam()
    columns = np.arange(exam.geometry.size[0])
    cut = int(np.argwhere(exam.mask)[:, 2].mean()) - 1
    parts = {"left": columns < cut, "right": columns >= cut}
    return exam.with_lesions([Lesion(name, np.asarray(exam.mask) * part) for name, part in parts.items()])


def tiny_prediction(exam, probability=0.62, notices=(EXAMPLE_NOTICE,)):
    """Return a prediction whose attention is a smooth blob around the tumour's centre; of several, for each."""
    if exam.lesions:
        alone = [replace(exam, mask=lesion.mask, lesions=()) for lesion in exam.lesions]
        each = [tiny_prediction(one, probability - 0.1 * n, notices) for n, one in enumerate(alone)]
        pairs = zip(exam.lesions, each, strict=True)
        found = tuple(LesionPrediction(lesion.name, of, lesion.label) for lesion, of in pairs)
        return replace(each[0], lesions=found)
    index = np.argwhere(exam.mask).mean(0)
    steps = (np.moveaxis(np.indices(exam.mask.shape), 0, -1) - index) * exam.geometry.spacing[::-1]
    attention = np.exp(-(steps**2).sum(-1) / (2 * 7.0**2)).astype(np.float32)
    attention[attention < 0.01] = 0
    attention /= attention.max()
    centre = tuple(float(x) for x in exam.geometry.to_physical(index[::-1]))
    evidence = tiny_evidence(probability)
    signed = attention * np.where(np.arange(attention.shape[2]) < index[2], 1.0, -0.4)
    return Prediction(
        probability=probability,
        interval=(probability - 0.08, probability + 0.05),
        fold_probabilities=(probability - 0.08, probability + 0.03, probability + 0.05),
        image_probability=0.5,
        operating_point=OperatingPoint("balanced", 0.45, 0.71, 0.66),
        attention=attention,
        attention_summary=AttentionSummary(0.83, centre, True),
        tumour=TumourSummary(exam.mask.sum() * exam.geometry.voxel_volume / 1000, centre, 1.5, 1.25),
        clinical={"Age": "52 years", "Hormone receptors": "unknown"},
        notices=tuple(notices),
        model=ModelIdentity(
            "tiny", "1.0.0", "0" * 64, "none", "Apache-2.0", "tests", {"out of fold": AUC}, base_rate=0.32
        ),
        versions={"breastpcr": "0.3.0", "torch": "2"},
        mask_interval=(probability - 0.11, probability + 0.02),
        evidence=evidence,
        evidence_map=(signed * evidence.image.log_odds / signed.sum()).astype(np.float32),
        measurements=replace(measure_lesion(exam), side="left", distance_to_skin_mm=12.3, distance_to_nipple_mm=45.6),
    )


def tiny_evidence(probability):
    """Return terms that give a probability: one of each kind, and an unknown variable."""
    logit = float(np.log(probability / (1 - probability)))
    possible = (Possibility("negative", 0.5, 0.72), Possibility("positive", -0.4, 0.51))
    terms = (
        Term("base", "Base", "base", -0.8),
        Term("log_volume", "Log volume", "measured", 0.9, 20.1, "2.1 log ml"),
        Term("image", "Image", "image", logit - 0.05, 11.9),
        Term("age", "Age", "clinical", -0.05, -1.2, "52 years"),
        Term("hr", "Hormone receptors", "clinical", 0.0, 0.0, "unknown", False, (-0.4, 0.5), possible),
    )
    return Evidence(terms, logit, "typical", map_sum=logit - 0.05)


def write_image(path, array=ARRAY, geometry=OBLIQUE, compress=False):
    """Write a volume in the format of the file's ending, and return the path."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction.ravel().tolist())
    sitk.WriteImage(image, path, compress)
    return path


_NIFTI_1 = {  # NIfTI-1: type and first byte
    "dim": ("i2", 40), "intent_code": ("i2", 68), "datatype": ("i2", 70), "bitpix": ("i2", 72), "pixdim": ("f4", 76),
    "vox_offset": ("f4", 108), "scl_slope": ("f4", 112), "scl_inter": ("f4", 116), "xyzt_units": ("u1", 123),
    "qform_code": ("i2", 252), "sform_code": ("i2", 254), "quatern": ("f4", 256), "qoffset": ("f4", 268),
    "srow": ("f4", 280), "magic": ("S4", 344),
}  # fmt: skip
_NIFTI_CODES = {np.dtype(t): code for t, code in (("u1", 2), ("i2", 4), ("i4", 8), ("f4", 16), ("f8", 64))}


def write_raw_nifti(path, array=ARRAY, order="<", compressed=None, **fields):
    """Write an array ((n,) k, j, i) of 1 x 2 x 3 mm with an identity qform, fields as given; return the path."""
    array = np.asarray(array)
    values = {
        "dim": [array.ndim, *array.shape[::-1], *[1] * (7 - array.ndim)],
        "datatype": _NIFTI_CODES[array.dtype], "bitpix": 8 * array.dtype.itemsize, "pixdim": [1, 1, 2, 3, 0, 0, 0, 0],
        "vox_offset": 352, "xyzt_units": 2, "qform_code": 1, "magic": b"n+1", **fields,
    }  # fmt: skip
    header = bytearray(352)
    header[:4] = np.array(348, f"{order}i4").tobytes()
    for name, value in values.items():
        kind, place = _NIFTI_1[name]
        content = np.array(value, kind if kind == "S4" else order + kind).tobytes()
        header[place : place + len(content)] = content
    content = bytes(header) + array.astype(array.dtype.newbyteorder(order)).tobytes()
    packed = path.name.endswith(".gz") if compressed is None else compressed
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


def interval(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


MEASURED = {
    "interval_over": "patients",
    "sensitivity_at_specificity_80": interval(0.48, 0.35, 0.61),
    "calibration": {
        "slope": interval(0.87, 0.41, 1.33),
        "intercept": interval(-0.13, -0.52, 0.26),
        "in_the_large": interval(-0.05, -0.36, 0.27),
        "integrated_index": interval(0.034, 0.011, 0.088),
    },
    "decision_curve": [
        {"threshold": round(0.05 * k, 2), "net_benefit": interval(0.31 - 0.02 * k, 0.2, 0.4), "everybody": 0.3}
        for k in range(1, 13)
    ],
    "predictive_values": [
        {"prevalence": share, "ppv": interval(share + 0.115, share, share + 0.2), "npv": interval(0.95, 0.92, 0.99)}
        for share in (0.1, 0.2, 0.3, 0.5)
    ],
    "frequencies": {
        "above": {"patients": 91, "with_pcr": interval(0.463, 0.36, 0.57)},
        "below": {"patients": 121, "with_pcr": interval(0.207, 0.14, 0.28)},
    },
}
MODEL = {
    **MEASURED,
    "name": "stepwise",
    "auc": interval(0.71, 0.64, 0.78),
    "operating_point": {"name": "balanced", "threshold": 0.31},
    "sensitivity": interval(0.62, 0.51, 0.73),
    "specificity": interval(0.69, 0.59, 0.79),
    "balanced_accuracy": interval(0.66, 0.58, 0.74),
    "brier": interval(0.182, 0.161, 0.203),
    "challenge_score": interval(0.57, 0.47, 0.67),
    "calibration_curve": [{"predicted": 0.2, "observed": 0.3, "low": 0.1, "high": 0.5, "patients": 20}],
    "roc": {"false_positive_rate": [0, 0.5, 1], "sensitivity": [0, 0.8, 1]},
    "subgroups": [
        {
            "variable": "breast_density",
            "group": "dense",
            "patients": 43,
            "positives": 12,
            "auc": interval(0.75, 0.55, 0.95),
            "sensitivity": 0.84,
            "specificity": None,
        }
    ],
    "attention": {
        "map": "Grad-CAM",
        "in_tumour": interval(0.41, 0.33, 0.49),
        "dice": interval(0.37, 0.31, 0.43),
        "pointing_game": interval(0.88, 0.80, 0.96),
        "common": {"in_tumour": interval(0.42, 0.34, 0.5)},
        "randomised_in_tumour": 0.07,
        "randomised": {"in_tumour": 0.07, "dice": 0.05, "pointing_game": 0.1},
        "enhancement": {"in_tumour": interval(0.29, 0.28, 0.3), "dice": interval(0.85, 0.83, 0.87)},
    },
}
PAIR = {
    "model": "stepwise",
    "other": "clinical",
    "auc_difference": interval(0.056, -0.012, 0.124),
    "p": 0.034,
    "p_adjusted": 0.102,
    "matched_specificity": 0.65,
    "sensitivity": 0.72,
    "other_sensitivity": 0.60,
    "sensitivity_difference": interval(0.118, 0.021, 0.215),
    "sensitivity_p": 0.017,
    "sensitivity_p_adjusted": 0.051,
    "comparisons": 1,
}
