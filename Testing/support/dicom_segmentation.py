"""Small DICOM Segmentations: of any kind, with frames missing, overlapping or in any order."""

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from support.dicom_exam import item

SEGMENTATION, LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"


def write_segmentation(path, geometry, segments, kind="BINARY", order=None, frame_of_reference="1.2.9", **measures):
    """Write masks (k, j, i) by segment number; empty slices are left out. Return the path.

    Args:
        segments: masks by number; of a FRACTIONAL file shares in [0, 1]; a pair with a name is called by it.
        order: of the frames, a function of their list; as they come by default.
        measures: replace values of the Pixel Measures.
    """
    named = {n: mask if isinstance(mask, tuple) else (mask, f"part {n}") for n, mask in segments.items()}
    frames = [(n, k, mask[k]) for n, (mask, _) in named.items() for k in range(geometry.size[2]) if np.any(mask[k])]
    if kind == "LABELMAP":
        labels = sum(n * np.asarray(mask) for n, (mask, _) in named.items())
        frames = [(None, k, labels[k]) for k in range(geometry.size[2]) if np.any(labels[k])]
    frames = order(frames) if order else frames
    data = _new(LABEL_MAP if kind == "LABELMAP" else SEGMENTATION, geometry)
    data.SegmentationType, data.FrameOfReferenceUID, data.NumberOfFrames = kind, frame_of_reference, len(frames)
    data.SegmentSequence = [item(SegmentNumber=n, SegmentLabel=name)[0] for n, (_, name) in named.items()]
    data.SharedFunctionalGroupsSequence = [_shared(geometry, measures)]
    data.PerFrameFunctionalGroupsSequence = [_frame(geometry, n, k) for n, k, _ in frames]
    pixels = np.stack([plane for _, _, plane in frames])
    if kind == "FRACTIONAL":
        data.MaximumFractionalValue, pixels = 200, np.rint(200 * pixels)
    data.BitsAllocated = data.BitsStored = 1 if kind == "BINARY" else 8
    data.HighBit = data.BitsAllocated - 1
    pixels = pixels.astype(np.uint8)
    packed = np.packbits(pixels != 0, bitorder="little") if kind == "BINARY" else pixels
    data.PixelData = packed.tobytes() + b"\0" * (packed.size % 2)
    data.save_as(path, enforce_file_format=True)
    return path


def _new(kind, geometry):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = kind, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = kind, meta.MediaStorageSOPInstanceUID, "SEG"
    data.Columns, data.Rows = geometry.size[:2]
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    return data


def _shared(geometry, measures):
    shared = Dataset()
    spacing = {
        "PixelSpacing": [geometry.spacing[1], geometry.spacing[0]],
        "SliceThickness": geometry.spacing[2],
        "SpacingBetweenSlices": geometry.spacing[2],
    }
    shared.PixelMeasuresSequence = item(**{name: x for name, x in {**spacing, **measures}.items() if x is not None})
    orientation = [round(float(x), 9) for x in geometry.direction[:, :2].T.ravel()]
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=orientation)
    return shared


def _frame(geometry, number, k):
    frame = Dataset()
    position = [round(float(x), 6) for x in geometry.to_physical(np.array([0, 0, k]))]
    frame.PlanePositionSequence = item(ImagePositionPatient=position)
    if number is not None:
        frame.SegmentIdentificationSequence = item(ReferencedSegmentNumber=number)
    return frame
