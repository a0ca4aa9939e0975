"""Hostile volumes in NIfTI, NRRD and MetaImage: `KINDS` is a name and a function that writes one beside a stem.

Zeros are compressed a thousand times, so that a file of 200 kB inflates to 200 MB; tests lower the limits instead.
"""

import bz2
import gzip
import zlib

import numpy as np

from support.examples import write_raw_nifti

SIZE = (32, 32, 6)  # of the exams that these are phases of, see `training_cohort`
SPACING = (2.0, 2.0, 4.0)
ARRAY = np.arange(32 * 32 * 6, dtype="<i2").reshape(6, 32, 32) % 100
CONTENT = ARRAY.tobytes()
BOMB = 24  # MB that a compressed stream inflates to
NAN, INF = float("nan"), float("inf")


def bomb(head=b"", kind="gzip", megabytes=BOMB):
    """Return a compressed stream of a content and many zeros."""
    if kind == "bzip2":
        return bz2.compress(head + bytes(megabytes << 20))
    packer = zlib.compressobj(9, wbits=31 if kind == "gzip" else 15)
    zeros = (packer.compress(bytes(1 << 20)) for _ in range(megabytes))
    return packer.compress(head) + b"".join(zeros) + packer.flush()


def nifti(name="{}.nii.gz", content=None, **fields):
    """Return a writer of a NIfTI file with some fields of its header changed."""

    def write(stem):
        path = stem.with_name(name.format(stem.name))
        return write_raw_nifti(path, ARRAY, **{"pixdim": [1, *SPACING, 0, 0, 0, 0], **fields})

    return write


def packed_nifti(pack, **fields):
    """Return a writer of a NIfTI file whose bytes are packed by a function."""

    def write(stem):
        path = nifti("{}.nii", **fields)(stem)
        content = path.read_bytes()
        path.unlink()
        path = stem.with_name(stem.name + ".nii.gz")
        path.write_bytes(pack(content))
        return path

    return write


def nrrd(content=CONTENT, ending=".nrrd", values=(), **fields):
    """Return a writer of an NRRD file; a field of None is left out, underscores stand for blanks."""
    given = {
        "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "32 32 6",
        "space directions": "(-2,0,0) (0,-2,0) (0,0,4)", "kinds": "domain domain domain", "endian": "little",
        "encoding": "raw", "space origin": "(0,0,0)", **{k.replace("_", " "): v for k, v in fields.items()},
    }  # fmt: skip

    def write(stem):
        lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
        path = stem.with_name(stem.name + ending)
        path.write_bytes("\n".join(["NRRD0005", *lines, *values, "", ""]).encode() + content)
        return path

    return write


def meta_image(content=CONTENT, ending=".mha", **fields):
    """Return a writer of a MetaImage file; a field of None is left out."""
    given = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False", "TransformMatrix": "-1 0 0 0 -1 0 0 0 1", "Offset": "0 0 0",
        "ElementSpacing": "2 2 4", "DimSize": "32 32 6", "ElementType": "MET_SHORT", **fields,
    }  # fmt: skip
    given["ElementDataFile"] = given.pop("ElementDataFile", "LOCAL")

    def write(stem):
        lines = [f"{name} = {value}\n" for name, value in given.items() if value is not None]
        path = stem.with_name(stem.name + ending)
        path.write_bytes("".join(lines).encode() + content)
        return path

    return write


def raw(content, ending=".nii.gz"):
    """Return a writer of these bytes."""

    def write(stem):
        path = stem.with_name(stem.name + ending)
        path.write_bytes(content)
        return path

    return write


INFLATION = {
    "nii.gz: 24 MB behind its voxels": packed_nifti(bomb),
    "nii.gz: promises what it inflates to": packed_nifti(
        lambda content: bomb(content[:352]), dim=[3, 1024, 1024, BOMB // 2, 1, 1, 1, 1]
    ),
    "nii.gz: a header of zeros": raw(bomb()),
    "nii.gz: voxels begin after 16 MB of zeros": packed_nifti(lambda content: bomb(content), vox_offset=16 << 20),
    "nii.gz: ten streams, each inside the last": raw(gzip.compress(gzip.compress(bomb(megabytes=10)))),
    "nii.gz: a thousand empty members": packed_nifti(lambda content: gzip.compress(b"") * 1000 + bomb(content)),
    "nii: promises 50 TB": nifti("{}.nii", dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]),
    "nii.gz: promises 50 TB": nifti(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]),
    "nii.gz: 30,000 volumes": nifti(dim=[4, 32, 32, 6, 30000, 1, 1, 1]),
    "nrrd: gzip of 24 MB": nrrd(bomb(CONTENT), encoding="gzip"),
    "nrrd: bzip2 of 24 MB": nrrd(bomb(CONTENT, "bzip2"), encoding="bzip2"),
    "nrrd: gzip, promises what it inflates to": nrrd(bomb(), encoding="gzip", sizes=f"1024 1024 {BOMB // 2}"),
    "nrrd: bzip2, promises what it inflates to": nrrd(
        bomb(kind="bzip2"), encoding="bzip2", sizes=f"1024 1024 {BOMB // 2}"
    ),
    "nrrd: text, promises a billion numbers": nrrd(b"1 " * 50_000, encoding="text", sizes="1000 1000 1000"),
    "nrrd: text that is one number of 100 kB": nrrd(b"1" * 100_000, encoding="text"),
    "nrrd: skips a billion bytes of zeros": nrrd(bomb(), encoding="gzip", byte_skip="999999999"),
    "nrrd: sizes of 30 digits": nrrd(sizes=f"{10**30} 32 6"),
    "nrrd: sizes of 5,000 digits": nrrd(sizes=f"{'9' * 5000} 32 6"),
    "nrrd: a header line of 2 MB": nrrd(values=["a:=" + "x" * (2 << 20)]),
    "nrrd: 200,000 brackets as directions": nrrd(space_directions="(" * 200_000),
    "nrrd: names itself as its voxels": nrrd(data_file="p.nrrd"),
    "nrrd: voxels in /dev/zero": nrrd(data_file="/dev/zero"),
    "mha: zlib of 24 MB": meta_image(bomb(CONTENT, "zlib"), CompressedData="True"),
    "mha: zlib, promises what it inflates to": meta_image(
        bomb(kind="zlib"), CompressedData="True", DimSize=f"1024 1024 {BOMB // 2}"
    ),
    "mha: compressed size of 10^12": meta_image(
        bomb(CONTENT, "zlib"), CompressedData="True", CompressedDataSize="1000000000000"
    ),
    "mha: promises 10^18 bytes": meta_image(DimSize="1000000 1000000 1000000"),
    "mha: sizes of 5,000 digits": meta_image(DimSize=f"{'9' * 5000} 32 6"),
    "mha: ten thousand channels": meta_image(ElementNumberOfChannels="10000"),
    "mha: channels of 5,000 digits": meta_image(ElementNumberOfChannels="9" * 5000),
    "mhd: voxels in a list": meta_image(b"", ".mhd", ElementDataFile="LIST"),
    "mhd: zlib of 24 MB beside it": meta_image(b"", ".mhd", ElementDataFile="../secret.zraw", CompressedData="True"),
}
GEOMETRY = {
    **{
        f"{form} spacing {value}": writer
        for value in (NAN, INF, -INF, 0, -2, 0.001, 1e30)
        for form, writer in {
            "nii": nifti(pixdim=[1, 2, value, 4, 0, 0, 0, 0]),
            "nrrd": nrrd(space_directions=f"(2,0,0) (0,{value},0) (0,0,4)"),
            "nrrd spacings": nrrd(space=None, space_directions=None, space_origin=None, spacings=f"2 {value} 4"),
            "mha": meta_image(ElementSpacing=f"2 {value} 4"),
        }.items()
        if not (form == "nrrd" and value == -2)  # a mirrored axis
    },
    **{
        f"{form} origin {value}": writer
        for value in (NAN, INF, 1e30)
        for form, writer in {
            "nii qform": nifti(qoffset=[0, value, 0]),
            "nii sform": nifti(qform_code=0, sform_code=1, srow=[2, 0, 0, 0, 0, 2, 0, value, 0, 0, 4, 0]),
            "nrrd": nrrd(space_origin=f"(0,{value},0)"),
            "mha": meta_image(Offset=f"0 {value} 0"),
        }.items()
    },
    "nii quaternion NaN": nifti(quatern=[0, NAN, 0]),
    "nii quaternion of length 3": nifti(quatern=[1, 2, 2]),
    "nii sform sheared": nifti(qform_code=0, sform_code=1, srow=[2, 0.5, 0, 0, 0, 2, 0, 0, 0, 0, 4, 0]),
    "nii sform of zeros": nifti(qform_code=0, sform_code=1, srow=[0] * 12),
    "nii sform of other widths": nifti(sform_code=1, srow=[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]),
    "nrrd axes not at right angles": nrrd(space_directions="(2,0,0) (1,2,0) (0,0,4)"),
    "nrrd two equal axes": nrrd(space_directions="(2,0,0) (2,0,0) (0,0,4)"),
    "nrrd a direction of letters": nrrd(space_directions="(2,0,0) (a,2,0) (0,0,4)"),
    "nrrd spacings in cm": nrrd(
        space=None, space_directions=None, space_origin=None, spacings="0.2 0.2 0.4", units='"cm" "cm" "cm"'
    ),
    "mha spacing in cm": meta_image(DistanceUnits="cm", ElementSpacing="0.2 0.2 0.4"),
    "mha matrix of zeros": meta_image(TransformMatrix="0 0 0 0 0 0 0 0 0"),
    "mha matrix of NaN": meta_image(TransformMatrix="nan 0 0 0 1 0 0 0 1"),
    "mha matrix of length 3": meta_image(TransformMatrix="3 0 0 0 1 0 0 0 1"),
    "mha matrix sheared": meta_image(TransformMatrix="1 0.5 0 0 1 0 0 0 1"),
}
KINDS = INFLATION | GEOMETRY
