"""DICOM: an exam of single images, an Enhanced one, a compressed one, a segmentation, and a folder of many patients."""

import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random

from support.hostile.dicom import KINDS, MASKS, PIXELS

from ..format import Attack, Format, library, pcr
from ..mutate_dicom import change_frame, mutate_dicom

_COPIES = 40  # damaged copies of each frame in one input


def _exam():
    from support.examples import tiny_exam

    return tiny_exam(size=(32, 32, 6), spacing=(2.0, 2.0, 4.0))


def _write(write: Callable[[Path, object], None], mask: str = "mask.nii.gz") -> Callable[[Path], None]:
    """Return the maker of an exam in `dicom`, with a mask and a model."""

    def make(folder: Path) -> None:
        from PCRPredictorLib.writing import write_nifti
        from support.dicom_segmentation import write_segmentation
        from support.models.tiny import write_tiny_bundle

        exam = _exam()
        write_tiny_bundle(folder / "bundle")
        write(folder / "dicom", exam)
        if mask.endswith(".dcm"):
            frame = "1.2.826.0.1.3680043.8.498.2"
            (folder / "seg").mkdir()
            write_segmentation(folder / "seg" / mask, exam.geometry, {1: exam.mask}, frame_of_reference=frame)
        else:
            write_nifti(exam.mask, exam.geometry, folder / mask)

    return make


def _classic(folder: Path, exam: object) -> None:
    from support.dicom_exam import write_dicom_exam

    write_dicom_exam(folder, exam, "siemens")


def _enhanced(folder: Path, exam: object) -> None:
    from support.dicom_exam import write_enhanced_exam

    write_enhanced_exam(folder, exam)


def _compressed(folder: Path, exam: object) -> None:
    """Write phases that are deflated, in JPEG-LS and in JPEG 2000."""
    import pydicom
    from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

    _classic(folder, exam)
    for file in sorted(folder.iterdir()):
        data = pydicom.dcmread(file)
        phase = int(data.SeriesNumber) - 5
        if phase == 0:
            data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
            data.save_as(file, implicit_vr=False, little_endian=True)
            continue
        data.PixelRepresentation = 0
        data.compress(JPEGLSLossless) if phase == 1 else _put_frame(
            data, JPEG2000Lossless, _jpeg_2000(data.pixel_array)
        )
        data.save_as(file)


def _put_frame(data, syntax: str, frame: bytes) -> None:
    from pydicom.encaps import encapsulate

    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate([frame])
    data["PixelData"].is_undefined_length = True


def _jpeg_2000(pixels, **options: object) -> bytes:
    import numpy as np
    from PIL import Image

    stream = BytesIO()
    image = Image.fromarray(np.asarray(pixels, np.uint16 if pixels.dtype.itemsize > 1 else np.uint8))
    image.save(stream, "JPEG2000", no_jp2=True, **options)
    return stream.getvalue()


def _make_frames(folder: Path) -> None:
    """Write one frame in every compression that pydicom's decoders read, in several variants."""
    import numpy as np
    import pydicom
    from PIL import Image
    from pydicom import uid

    _classic(folder / "exam", _exam())
    file = min((folder / "exam").iterdir())
    deep = (np.add.outer(np.arange(32) * 20, np.arange(32) * 9)).astype(np.uint16)
    flat = (deep >> 4).astype(np.uint8)

    def write(name: str, syntax: str, pixels: np.ndarray, frame: bytes | None, **options: object) -> None:
        data = pydicom.dcmread(file)
        data.PixelRepresentation, data.BitsAllocated = 0, 8 * pixels.itemsize
        data.BitsStored = 8 if pixels.itemsize == 1 else 12
        data.HighBit, data.PixelData = data.BitsStored - 1, pixels.tobytes()
        data["PixelData"].VR = "OW"
        if frame is None:
            data.compress(syntax, generate_instance_uid=False, **options)
        else:
            _put_frame(data, syntax, frame)
        data.save_as(folder / f"{name}.dcm")

    write("rle", uid.RLELossless, deep, None)
    write("jpeg-ls", uid.JPEGLSLossless, deep, None)
    write("jpeg-ls near", uid.JPEGLSNearLossless, deep, None, jls_error=2)
    for name, options in {"": {}, " tiles": {"tile_size": (16, 16)}, " layers": {"irreversible": True}}.items():
        write(f"jpeg 2000{name}", uid.JPEG2000, deep, _jpeg_2000(deep, **options))
        write(f"jpeg 2000{name} of 8 bits", uid.JPEG2000, flat, _jpeg_2000(flat, **options))
    for name, options in {
        "": {},
        " progressive": {"progressive": True},
        " restarts": {"restart_marker_blocks": 2},
    }.items():
        stream = BytesIO()
        Image.fromarray(flat).save(stream, "JPEG", **options)
        write(f"jpeg{name}", uid.JPEGBaseline8Bit, flat, stream.getvalue())
    shutil.rmtree(folder / "exam")


def _mutate_frames(rng: Random, path: Path) -> None:
    """Put many damaged copies of a frame beside its file, each to be decoded by itself."""
    import pydicom
    from pydicom.encaps import generate_frames

    data = pydicom.dcmread(path)
    (frame,) = generate_frames(data.PixelData, number_of_frames=1)
    (path.parent / "copies").mkdir(exist_ok=True)
    for number in range(_COPIES):
        _put_frame(data, data.file_meta.TransferSyntaxUID, change_frame(rng, frame))
        data.save_as(path.parent / "copies" / f"{path.stem} {number}.dcm")


def _decode(inputs: Path, out: Path) -> None:
    """Decode every file in this process; what cannot be decoded raises, which is caught."""
    import contextlib
    import warnings

    from PCRPredictorLib.dicom.datasets import read_dataset
    from PCRPredictorLib.dicom.decoding import decoded

    warnings.simplefilter("ignore")
    for file in sorted(inputs.rglob("*.dcm")):
        with contextlib.suppress(Exception):
            decoded(read_dataset(file))


def _make_patients(folder: Path) -> None:
    from support.own_cohort import write_dicom_patient

    for number in range(1, 4):
        write_dicom_patient(folder / "dicom" / str(number), number)


def _import(inputs: Path, out: Path) -> list[object]:
    return ["import", inputs / "dicom", out / "cohort", "--workers", 1]


def _one_is_missing(inputs: Path, out: Path, code: int) -> str:
    found = len(list((out / "cohort" / "images").glob("*"))) if (out / "cohort" / "images").is_dir() else 0
    return "" if found >= 2 else f"{found} of 3 patients are imported, with exit code {code}"


def _predict(mask: str) -> dict[str, object]:
    return {
        "predict": pcr(
            lambda inputs, out: [
                *("predict", "--dicom", inputs / "dicom", "--mask", inputs / mask),
                *("--model", inputs / "bundle", "--out", out),
            ]
        )
    }


def _on_one(spoil: Callable[[Path], None]) -> Attack:
    """Return the attack on one file of the exam, in the middle of it."""

    def attack(folder: Path) -> None:
        files = sorted((folder / "dicom").iterdir())
        spoil(files[len(files) // 2])

    return attack


def _on_mask(spoil: Callable[[Path], None]) -> Attack:
    return lambda folder: spoil(folder / "seg" / "seg.dcm")


FORMATS = (
    Format(
        "dicom",
        _write(_classic),
        faces=_predict("mask.nii.gz"),
        more={name: _on_one(spoil) for name, spoil in KINDS.items()},
        targets=("dicom/*",),
        mutate=mutate_dicom,
    ),
    *(
        Format(
            name,
            _write(write),
            faces=_predict("mask.nii.gz"),
            more={name: _on_one(spoil) for name, spoil in PIXELS.items()},
            targets=("dicom/*",),
            mutate=mutate_dicom,
        )
        for name, write in (("enhanced", _enhanced), ("compressed", _compressed))
    ),
    Format(
        "segmentation",
        _write(_classic, "seg.dcm"),
        faces=_predict("seg/seg.dcm"),
        more={name: _on_mask(spoil) for name, spoil in MASKS.items()},
        targets=("seg/*",),
        mutate=mutate_dicom,
    ),
    Format("frames", _make_frames, faces={"decoders": library(_decode)}, targets=("*.dcm",), mutate=_mutate_frames),
    Format(
        "import",
        _make_patients,
        faces={"import": pcr(_import, lists=True)},
        targets=("dicom/2/*",),
        mutate=mutate_dicom,
        check=_one_is_missing,
        resumes=True,
    ),
)
