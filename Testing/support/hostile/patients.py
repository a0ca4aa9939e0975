"""Poisoned patients: `KINDS` is a name and a function that spoils one patient of a cohort in MAMA-MIA's layout.

The cohort is that of `training_cohort`. The patients of `LOST` cannot be used; those of `UNSEEN` have no images that
could be listed, but a row of the table; those of `NAMES_WITHOUT_A_ROW` are not in the table, and predicted without its
values; what is wrong with the others is a warning, or does not matter.
"""

import os
import shutil
import stat
from pathlib import Path

import numpy as np
from PCRPredictorLib.reading.images import read_volume
from PCRPredictorLib.writing import write_nifti

from support.dicom_segmentation import write_segmentation
from support.examples import write_raw_nifti
from support.hostile import dicom, images
from support.training_cohort import GEOMETRY, read_table, write_table

NAN = float("nan")
_SPOILT = 1  # the phase that is spoilt


def phase_of(cohort, name, number=_SPOILT):
    return cohort / "images" / name / f"{name.lower()}_{number:04d}.nii.gz"


def mask_of(cohort, name):
    return cohort / "segmentations" / "expert" / f"{name.lower()}.nii.gz"


def phase(write, every=False):
    """Return a kind whose early phase is written by a function of a stem, see `images`.

    The other phases and the mask are put on the lattice of these images.

    Args:
        every: the other phases are written by it, too, as different sizes would be refused first.
    """

    def spoil(cohort, name):
        for k in range(3):
            file = phase_of(cohort, name, k)
            file.unlink()
            (write if every or k == _SPOILT else images.nifti())(_stem(file))
        mask(_ball)(cohort, name)

    return spoil


def _stem(file):
    return file.with_name(file.name.removesuffix(".nii.gz"))


def _ball(stem):
    k, j, i = np.indices(GEOMETRY.shape)
    inside = (4 * (k - 3) ** 2 + (j - 16) ** 2 + (i - 16) ** 2 < 30).astype(np.uint8)
    write_raw_nifti(stem.with_name(stem.name + ".nii.gz"), inside, pixdim=[1, *images.SPACING, 0, 0, 0, 0])


def mask(write):
    """Return a kind whose mask is written by a function of a stem."""

    def spoil(cohort, name):
        file = mask_of(cohort, name)
        file.unlink()
        write(_stem(file))

    return spoil


def replaced(place):
    """Return a function that makes a kind of what stands in place of a file."""

    def make(put):
        def spoil(cohort, name):
            file = place(cohort, name)
            file.unlink()
            put(file)

        return spoil

    return make


def values(change):
    """Return a kind whose early phase has other voxels."""

    def write(stem):
        array = change(images.ARRAY.astype(np.float32))
        write_raw_nifti(stem.with_name(stem.name + ".nii.gz"), array, pixdim=[1, *images.SPACING, 0, 0, 0, 0])

    return phase(write)


def labels(change):
    """Return a kind whose mask has other voxels."""

    def write(stem):
        array = change(np.zeros(GEOMETRY.shape, np.int32))
        write_nifti(array, GEOMETRY, stem.with_name(stem.name + ".nii.gz"))

    return mask(write)


def cut(share):
    def spoil(cohort, name):
        file = phase_of(cohort, name)
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)])

    return spoil


def row(**cells):
    """Return a kind with other cells in its row; a column that is not there is added."""

    def spoil(cohort, name):
        rows = read_table(cohort)
        found = [{**each, **{column: each.get(column, "") for column in cells}} for each in rows]
        for each in found:
            if each["patient_id"] == name:
                each.update(cells)
        write_table(cohort, found)

    return spoil


def renamed(new):
    """Return a kind with another identifier, everywhere."""

    def spoil(cohort, name):
        folder = cohort / "images" / name
        for k, file in enumerate(sorted(folder.iterdir())):
            file.rename(folder / f"{new}_{k:04d}.nii.gz"[-255:])
        folder.rename(cohort / "images" / new)
        mask_of(cohort, name).rename(mask_of(cohort, name).with_name(f"{new}.nii.gz"))
        if new.isprintable():
            row(patient_id=new)(cohort, name)

    spoil.new = new
    return spoil


def segmentation(spoil_file):
    """Return a kind whose mask is a DICOM Segmentation that is spoilt."""

    def spoil(cohort, name):
        file = mask_of(cohort, name)
        inside = read_volume(file)[0]
        file.unlink()
        file = file.with_name(f"{name.lower()}.dcm")
        write_segmentation(file, GEOMETRY, {1: inside})
        spoil_file(file)

    return spoil


def _flatten(change):
    """Return labels in a number of voxels."""
    array = np.zeros(GEOMETRY.shape, np.int32)
    array.flat[:change] = np.arange(1, change + 1)
    return array


def _a_million_labels(cohort, name):
    """Every voxel of a large exam has a label of its own."""
    noise = np.random.default_rng(0).integers(0, 100, (100, 100, 100), np.int16)
    labels = np.arange(1, 1 + noise.size, dtype=np.int32).reshape(noise.shape)
    files = {**{phase_of(cohort, name, k): noise for k in range(3)}, mask_of(cohort, name): labels}
    for file, array in files.items():
        file.unlink()
        write_raw_nifti(_stem(file).with_suffix(".nii"), array, pixdim=[1, *images.SPACING, 0, 0, 0, 0])


def _in_place_of_the_folder(put):
    """Return a kind with something else in place of the folder of the images."""

    def spoil(cohort, name):
        folder = cohort / "images" / name
        shutil.rmtree(folder)
        put(folder)

    return spoil


def _holed(array):
    array[0, 0, 0] = NAN
    return array


def _nifti(*, every=False, **fields):
    return phase(images.nifti(**fields), every)


def _to(target):
    return lambda file: file.symlink_to(target)


def _folder(file):
    file.mkdir()
    (file / "a.txt").write_text("a")


def _closed(file):
    file.write_bytes(b"a")
    file.chmod(0)


def _socket(file):
    os.mknod(file, stat.S_IFSOCK | 0o600)


_PHASE, _MASK = replaced(phase_of), replaced(mask_of)

FILES = {
    "empty file": phase(images.raw(b"")),
    "one byte": phase(images.raw(b"a")),
    "cut in the header": cut(0.05),
    "cut in the voxels": cut(0.6),
    "text under the name of an image": phase(images.raw(b"name,age\nAnna,51\n" * 9)),
    "a web page": phase(images.raw(b"<!doctype html><html>")),
    "a pointer of git lfs": phase(images.raw(b"version https://git-lfs.github.com/spec/v1\noid 1\n")),
    "NRRD under the name of NIfTI": phase(lambda stem: images.nrrd(ending=".nii.gz")(stem)),
    "a zip under the name of NIfTI": phase(images.raw(b"PK\x03\x04" + bytes(99))),
    "a folder in place of a phase": _PHASE(_folder),
    "a folder in place of the mask": _MASK(_folder),
    "no phase": _PHASE(lambda _: None),
    "an empty folder": _in_place_of_the_folder(Path.mkdir),
    "no mask": _MASK(lambda _: None),
}
SYSTEM = {
    "a pipe as a phase": _PHASE(os.mkfifo),
    "a pipe as the mask": _MASK(os.mkfifo),
    "/dev/zero as a phase": _PHASE(_to("/dev/zero")),
    "/dev/zero as the mask": _MASK(_to("/dev/zero")),
    "a phase whose disk fails": _PHASE(_to("/proc/self/mem")),
    "a link in a circle": _PHASE(lambda file: file.symlink_to(file.name)),
    "a mask that is a link in a circle": _MASK(lambda file: file.symlink_to(file.name)),
    "a link to nowhere": _PHASE(_to("nowhere")),
    "a link to a folder": _PHASE(_to("/")),
    "a mask that is a link to nowhere": _MASK(_to("nowhere")),
    "a mask that is a link to a folder": _MASK(_to("/")),
    "a socket as a phase": _PHASE(_socket),
    "a socket as the mask": _MASK(_socket),
    "a phase that may not be read": _PHASE(_closed),
    "a mask that may not be read": _MASK(_closed),
    "/dev/full as a phase": _PHASE(_to("/dev/full")),
    "a pipe behind a link": _PHASE(_to("/proc/self/fd/0")),
}
INFLATION = {name: phase(write, "promises" in name) for name, write in images.INFLATION.items()}
GEOMETRIES = {f"geometry: {name}": phase(write) for name, write in images.GEOMETRY.items()}
VOXELS = {
    "all NaN": values(lambda array: array * NAN),
    "one NaN": values(_holed),
    "infinite": values(lambda array: np.full_like(array, np.inf)),
    "constant": values(lambda array: array * 0),
    "slope NaN": _nifti(scl_slope=NAN, scl_inter=0),
    "slope of 10^38": _nifti(scl_slope=1e38, scl_inter=0),
    "one slice": _nifti(dim=[3, 32, 32, 1, 1, 1, 1, 1], every=True),
    "one voxel": _nifti(dim=[3, 1, 1, 1, 1, 1, 1, 1], every=True),
}
MASKS = {
    "an empty mask": labels(lambda array: array),
    "a mask of 6,000 labels": labels(lambda _: _flatten(6000)),
    "a mask of a million labels": _a_million_labels,
    "a mask of two labels": labels(lambda _: _flatten(2)),
    "a negative mask": labels(lambda _: -_flatten(40)),
    "a mask on another grid": mask(images.nifti(dim=[3, 32, 16, 6, 1, 1, 1, 1])),
    "a mask that inflates": mask(images.INFLATION["nii.gz: 24 MB behind its voxels"]),
    "a mask with spacing NaN": mask(images.nifti(pixdim=[1, 2, NAN, 4, 0, 0, 0, 0])),
}
_READ = {"SEG without frames", "SEG of an unknown type", "SEG deflated with 24 MB"}  # which leave no doubt
DICOM = {name: segmentation(spoil) for name, spoil in dicom.MASKS.items() if name not in _READ}
TIMES = {
    "times of 5,000 brackets": row(acquisition_times="[" * 5000),
    "times that are Python": row(acquisition_times="[__import__('os').getpid()]"),
    "times of 10,000 numbers": row(acquisition_times="1;" * 10_000),
}
VALUES = {
    "an age of 5,000 digits": row(age="9" * 5000),
    "an age that is a formula": row(age='=HYPERLINK("http://a","51")'),
    "an age with an escape sequence": row(age="\x1b[2J"),
    "two rows": lambda cohort, name: write_table(cohort, [*read_table(cohort), {**_row_of(cohort, name), "age": "33"}]),
}
NAMES = {
    "a name in brackets": renamed("[red]P[bold]"),
    "a name that is a tag": renamed("<img src=x onerror=alert(1)>"),
    "a name of 200 characters": renamed("p" * 200),
}
NAMES_WITHOUT_A_ROW = {
    "a name with an escape sequence": renamed("p\x1b[2J"),
    "a name that turns the text": renamed("p\u202egnp"),
    "a name that is a formula": renamed('=HYPERLINK("a","P")'),
    "a name that is no text": renamed(os.fsdecode(b"p\xff\xfe")),
}
UNSEEN = {
    "no folder": _in_place_of_the_folder(lambda _: None),
    "a file in place of the folder": _in_place_of_the_folder(Path.touch),
    "a folder that is a pipe": _in_place_of_the_folder(os.mkfifo),
    "a folder that is a link to nowhere": _in_place_of_the_folder(_to("nowhere")),
    "a folder that is a link in a circle": _in_place_of_the_folder(lambda folder: folder.symlink_to(folder.name)),
}
LOST = FILES | SYSTEM | INFLATION | GEOMETRIES | VOXELS | MASKS | DICOM | VALUES
KINDS = LOST | UNSEEN | TIMES | NAMES | NAMES_WITHOUT_A_ROW


def _row_of(cohort, name):
    return next(each for each in read_table(cohort) if each["patient_id"] == name)
