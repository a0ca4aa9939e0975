"""Hostile DICOM: `KINDS` is a name and a function that spoils one file of an exam; `MASKS` spoils a segmentation."""

import struct
from io import BytesIO

import pydicom
from PIL import Image
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

MB = 1 << 20
GIANT = 30_000  # rows and columns that a compressed frame declares


def tags(**values):
    """Return a function that sets tags."""

    def spoil(file):
        data = pydicom.dcmread(file)
        for name, value in values.items():
            if value is None:
                del data[name]
            else:
                setattr(data, name, value)
        data.save_as(file)

    return spoil


def raw_text(**values):
    """Return a function that sets tags to texts that pydicom would not write."""

    def spoil(file):
        data = pydicom.dcmread(file)
        for name, value in values.items():
            tag, kind = tag_for_keyword(name), dictionary_VR(name)
            content = value.encode()
            data[tag] = RawDataElement(Tag(tag), kind, len(content), content, 0, False, True)
        data.save_as(file)

    return spoil


def deflated(megabytes):
    """Return a function that deflates a file with so many zeros in a private element."""

    def spoil(file):
        data = pydicom.dcmread(file)
        block = data.private_block(0x11, "HOSTILE", create=True)
        block.add_new(1, "OB", bytes(megabytes * MB))
        data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        data.save_as(file, implicit_vr=False, little_endian=True)

    return spoil


def frames(syntax, *content):
    """Return a function that replaces the pixels by compressed frames."""

    def spoil(file):
        data = pydicom.dcmread(file)
        data.file_meta.TransferSyntaxUID = syntax
        data.PixelData = encapsulate(list(content))
        data["PixelData"].is_undefined_length = True
        data.save_as(file)

    return spoil


def cut(share):
    """Return a function that cuts a file."""

    def spoil(file):
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * share)])

    return spoil


def nested(depth):
    """Return a function that puts sequences inside each other in front of the pixels."""

    def spoil(file):
        data = pydicom.dcmread(file)
        data.save_as(file)
        content = file.read_bytes()
        open_item = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
            "<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF
        )
        at = content.index(struct.pack("<HH", 0x0010, 0x0010))
        file.write_bytes(content[:at] + open_item * depth + content[at:])

    return spoil


def _jpeg(kind, rows=GIANT, columns=GIANT):
    frame = b"\xff\xd8\xff" + bytes([kind]) + struct.pack(">HBHHBBBB", 11, 8, rows, columns, 1, 1, 0x11, 0)
    return frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\0" * 200 + b"\xff\xd9"


def _jpeg_2000(rows=GIANT, columns=GIANT):
    size = struct.pack(">HHLLLLLLLLHBBB", 41, 0, columns, rows, 0, 0, columns, rows, 0, 0, 1, 15, 1, 1)
    return b"\xff\x4f\xff\x51" + size + b"\xff\x52\x00\x0c" + b"\0" * 10 + b"\xff\xd9"


def _rle(segments=2, runs=200_000):
    """Return a frame whose runs expand to 64 times its size."""
    header = struct.pack("<16L", segments, 64, 64 + 2 * runs, *[0] * 13)
    return header + b"\x81\x07" * runs * segments


def more_pixels(syntax=None):
    """Return a function that repeats the pixels, and stores the file in a transfer syntax."""

    def spoil(file):
        data = pydicom.dcmread(file)
        if data.file_meta.TransferSyntaxUID.is_encapsulated:
            data.decompress()
        data.PixelData *= 5
        data.file_meta.TransferSyntaxUID = syntax or data.file_meta.TransferSyntaxUID
        data.save_as(file, implicit_vr=False, little_endian=True)

    return spoil


def _colours():
    """Return a frame of 32 x 32 pixels that has more values per pixel than the header says."""
    stream = BytesIO()
    Image.new("RGB", (32, 32)).save(stream, "JPEG2000", no_jp2=True)
    return stream.getvalue()


PIXELS = {
    "deflated, 24 MB of zeros in a private element": deflated(24),
    "65535 x 65535 pixels": tags(Rows=65535, Columns=65535),
    "no rows": tags(Rows=0),
    "16 frames of 10^9": tags(NumberOfFrames=10**9),
    "negative number of frames": tags(NumberOfFrames=-5),
    "RLE that expands 64 times": frames(RLELossless, _rle()),
    "RLE of no segment": frames(RLELossless, b"\0" * 64),
    "RLE of 16 segments": frames(RLELossless, struct.pack("<16L", 15, *range(64, 79)) + b"\x81\0" * 900),
    "JPEG of 30,000 x 30,000": frames(JPEGBaseline8Bit, _jpeg(0xC0)),
    "JPEG-LS of 30,000 x 30,000": frames(JPEGLSLossless, _jpeg(0xF7)),
    "JPEG 2000 of 30,000 x 30,000": frames(JPEG2000Lossless, _jpeg_2000()),
    "JPEG that is no JPEG": frames(JPEGBaseline8Bit, b"\xff\xd8" + b"\xff" * 500),
    "JPEG 2000 of nothing": frames(JPEG2000Lossless, b"\0\0"),
    "JPEG 2000 of three colours": frames(JPEG2000Lossless, _colours()),
    "five times its pixels": more_pixels(),
    "five times its pixels, deflated": more_pixels(DeflatedExplicitVRLittleEndian),
    "no pixels": tags(PixelData=None),
    "32 bits stored in 16": tags(BitsStored=32, HighBit=31),
    "no bits": tags(BitsAllocated=0),
    "cut in the header": cut(0.3),
    "cut in the pixels": cut(0.9),
    "sequences inside each other, 5,000 deep": nested(5000),
}
GEOMETRY = {
    "spacing NaN": raw_text(PixelSpacing="nan\\nan"),
    "spacing infinite": raw_text(PixelSpacing="inf\\1.5 "),
    "spacing 0": tags(PixelSpacing=[0, 1.5]),
    "spacing negative": tags(PixelSpacing=[-1.5, 1.5]),
    "spacing 1000 mm": tags(PixelSpacing=[1000, 1000]),
    "spacing of three": tags(PixelSpacing=[1, 1, 1]),
    "spacing of letters": raw_text(PixelSpacing="a\\b "),
    "position NaN": raw_text(ImagePositionPatient="nan\\0\\0 "),
    "position 10^30": raw_text(ImagePositionPatient="1e30\\0\\0"),
    "position of two": tags(ImagePositionPatient=[1, 2]),
    "orientation of zeros": tags(ImageOrientationPatient=[0] * 6),
    "orientation NaN": raw_text(ImageOrientationPatient="nan\\0\\0\\0\\1\\0 "),
    "orientation not at right angles": tags(ImageOrientationPatient=[1, 0, 0, 0.8, 0.6, 0]),
    "orientation of length 3": tags(ImageOrientationPatient=[3, 0, 0, 0, 3, 0]),
}
VALUES = {
    "slope NaN": raw_text(RescaleSlope="nan "),
    "slope 10^300": raw_text(RescaleSlope="1e300 "),
    "time of 5,000 digits": raw_text(AcquisitionTime="9" * 5000),
    "description of 100,000 brackets": raw_text(SeriesDescription="[" * 100_000),
    "description that is markup and escapes": raw_text(SeriesDescription="[red]\x1b[2J</td><script>"),
}
KINDS = PIXELS | GEOMETRY | VALUES


def _position(value):
    def spoil(file):
        data = pydicom.dcmread(file)
        for frame in data.PerFrameFunctionalGroupsSequence:
            frame.PlanePositionSequence[0].ImagePositionPatient = value
        data.save_as(file)

    return spoil


def _shared(group, **values):
    def spoil(file):
        data = pydicom.dcmread(file)
        item = data.SharedFunctionalGroupsSequence[0][group].value[0]
        for name, value in values.items():
            setattr(item, name, value)
        data.save_as(file)

    return spoil


MASKS = {
    "SEG of 30,000 x 30,000": tags(Rows=GIANT, Columns=GIANT),
    "SEG of 65535 x 65535": tags(Rows=65535, Columns=65535),
    "SEG of 10^9 frames": tags(NumberOfFrames=10**9),
    "SEG without frames": tags(NumberOfFrames=0),
    "SEG without pixels": tags(PixelData=None),
    "SEG deflated with 24 MB": deflated(24),
    "SEG in RLE that expands": frames(RLELossless, _rle(1)),
    "SEG without groups": tags(PerFrameFunctionalGroupsSequence=None),
    "SEG without segments": tags(SegmentSequence=None),
    "SEG position 10^9": _position([1e9, 0, 0]),
    "SEG spacing 0": _shared("PixelMeasuresSequence", PixelSpacing=[0, 0]),
    "SEG distance of slices 0.0001": _shared("PixelMeasuresSequence", SpacingBetweenSlices=0.0001),
    "SEG orientation of zeros": _shared("PlaneOrientationSequence", ImageOrientationPatient=[0] * 6),
    "SEG fractional without a maximum": tags(SegmentationType="FRACTIONAL"),
    "SEG of an unknown type": tags(SegmentationType="X"),
    "SEG cut": cut(0.8),
}
