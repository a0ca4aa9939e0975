"""Files of a folder that are no whole images: each is named with the reason, or refused if it may be of the exam."""

import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PCRPredictorLib.reading.sources import find_sources
from pydicom.fileset import FileSet
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEGLSLossless,
    RLELossless,
)
from support.dicom.folder import PHASES, change_files, read, write_apart, write_series
from support.dicom_exam import assert_refused

ALL = (0, 2, 4)
HIGH_THROUGHPUT = pydicom.uid.UID("1.2.840.10008.1.2.4.201")  # JPEG 2000


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda whole: b"", "are empty"),
        (lambda whole: whole[:200], "are damaged or cut short"),
        (lambda whole: whole[:600], "are damaged or cut short"),
        (lambda whole: b"<html>not found</html>", "are not DICOM"),
        (lambda whole: b"PK\3\4\0\0" * 99, "are not DICOM"),
    ],
)
def test_files_of_the_first_series_that_cannot_be_read_are_refused_with_their_names(tmp_path, content, reason):
    write_apart(tmp_path)
    for n, file in enumerate(files_of(tmp_path / "series5")):
        file.write_bytes(content(file.read_bytes()))
        file.rename(file.with_name(f"IM{n}.dcm"))
    assert_refused(tmp_path, f"4 unreadable files {reason}: series5/IM0.dcm, series5/IM1.dcm, series5/IM2.dcm and 1")
    assert read(tmp_path, pick=(0, 1, 3)) == ((1, 2, 4), {reason: ("4 unreadable files", 4, True)}, [])


@pytest.mark.parametrize(
    ("ending", "reason"), [(".gz", "are packed and must be unpacked"), (".icloud", "are not downloaded completely")]
)
def test_packed_or_missing_files_of_the_first_series_are_refused(tmp_path, ending, reason):
    write_apart(tmp_path)
    for n, file in enumerate(files_of(tmp_path / "series5")):
        file.write_bytes(b"\x1f\x8b" * 200)
        file.rename(file.with_name(f"IM{n}.dcm{ending}"))
    assert_refused(tmp_path, f"4 unreadable files {reason}: series5/IM0.dcm{ending}")


@pytest.mark.parametrize("kind", ["zip", "gztar", "tar"])
def test_archive_of_the_first_series_is_refused(tmp_path, kind):
    write_apart(tmp_path)
    shutil.make_archive(str(tmp_path / "series5"), kind, tmp_path / "series5")
    shutil.rmtree(tmp_path / "series5")
    assert_refused(tmp_path, "1 unreadable file is packed and must be unpacked: series5")


def test_packed_files_of_other_kinds_are_no_images(tmp_path):
    write_apart(tmp_path)
    (tmp_path / "viewer").mkdir()
    (tmp_path / "viewer" / "viewer.exe").write_bytes(b"MZ")
    shutil.make_archive(str(tmp_path / "viewer"), "zip", tmp_path / "viewer")
    (tmp_path / "mask.nii.gz").write_bytes(b"\x1f\x8b" * 200)
    assert read(tmp_path) == (ALL, {"are not DICOM": ("3 files", 3, False)}, [])


@pytest.mark.parametrize("left", [-40, -140])  # within the pixels, before their tag
def test_images_cut_short_are_found_before_the_phase_is_used(tmp_path, left):
    write_apart(tmp_path)
    file = files_of(tmp_path / "series5")[1]
    file.write_bytes(file.read_bytes()[:left])
    assert_refused(tmp_path, rf"phase 0, series 5 .*, has 1 of 4 images .* is cut short\) \(series5/{file.name}\)")
    assert_refused(tmp_path, "phase 0 cannot be used, it has 1 of 4 images that cannot be used", pick=(0, 1, 2))
    assert read(tmp_path, pick=(1, 2, 4))[0] == (1, 2, 4)


def test_unreadable_file_among_a_series_of_a_different_kind_is_no_warning(tmp_path):
    write_apart(tmp_path)
    write_series(tmp_path / "t2", 2, PHASES[0], ScanningSequence="SE")
    files_of(tmp_path / "t2")[0].write_bytes(b"")
    phases, aside, _ = read(tmp_path)
    assert (phases, aside["is empty"]) == (ALL, ("1 unreadable file", 1, False))


def test_single_file_that_was_never_dicom_is_a_warning(tmp_path):
    write_apart(tmp_path)
    (tmp_path / "notes.dcm").write_text("to be done")
    assert read(tmp_path) == (ALL, {"is not DICOM": ("1 unreadable file", 1, True)}, [])


def test_dead_link_is_refused_with_its_name(tmp_path):
    write_apart(tmp_path)
    (tmp_path / "IM1.dcm").symlink_to(tmp_path / "nowhere")
    assert_refused(tmp_path, r"1 unreadable file leads nowhere \(a dead link\): IM1.dcm")


def test_files_of_other_programs_are_named_without_a_warning(tmp_path):
    write_apart(tmp_path)
    (tmp_path / "__MACOSX").mkdir()
    for name in ("__MACOSX/._IM1.dcm", "series5/._a.dcm", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"\0\5\26\7" * 50)
    for name in ("README", "viewer.exe", "notes.txt", "report.pdf", "empty.txt"):
        (tmp_path / name).write_bytes(b"some text" * (name != "empty.txt"))
    phases, aside, codes = read(tmp_path)
    assert (phases, codes) == (ALL, [])
    assert {reason: files for reason, (_, files, _) in aside.items()} == {
        "belong to the operating system": 4,
        "are not DICOM": 4,
        "is empty": 1,
    }
    assert not any(looks for _, _, looks in aside.values())


def test_dicomdir_and_a_report_are_named_without_a_warning(tmp_path):
    write_apart(tmp_path / "a", StudyDate="20200101", StudyTime="101010", StudyID="1")
    report = pydicom.dcmread(files_of(tmp_path)[0])
    disc = FileSet()
    for file in files_of(tmp_path / "a"):
        disc.add(pydicom.dcmread(file))
    disc.write(tmp_path / "disc")
    for tag in ("Rows", "Columns", "PixelData"):
        delattr(report, tag)
    report.Modality, report.SOPClassUID, report.SeriesNumber = "SR", "1.2.840.10008.5.1.4.1.1.88.33", 99
    report.save_as(tmp_path / "disc" / "SR1")
    phases, aside, _ = read(tmp_path / "disc")
    assert phases == ALL
    assert aside == {
        "is an index (DICOMDIR)": ("1 file", 1, False),
        "has no image (SR)": ("series 99 (dyn T1)", 1, False),
    }


@pytest.mark.parametrize("implicit", [True, False])
def test_data_sets_without_preamble_are_read(tmp_path, implicit):
    write_apart(tmp_path)
    for file in files_of(tmp_path):
        data = pydicom.Dataset(pydicom.dcmread(file))
        data.save_as(file, implicit_vr=implicit, little_endian=True)
        assert file.read_bytes()[128:132] != b"DICM"
    assert read(tmp_path) == (ALL, {}, [])
    assert [source.name for source in find_sources([tmp_path])] == [tmp_path.name]


def test_big_endian_is_read(tmp_path):
    write_apart(tmp_path)
    for file in files_of(tmp_path):
        data = pydicom.dcmread(file)
        data.PixelData = data.pixel_array.astype(">i2").tobytes()
        data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        copy = pydicom.FileDataset(None, {}, file_meta=data.file_meta, preamble=b"\0" * 128)
        for element in data:
            copy.add(element)
        pydicom.dcmwrite(file, copy, implicit_vr=False, little_endian=False)
    assert read(tmp_path) == (ALL, {}, [])


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, DeflatedExplicitVRLittleEndian])
def test_compressed_images_are_read(tmp_path, syntax):
    write_apart(tmp_path, PixelRepresentation=0)
    for file in files_of(tmp_path):
        data = pydicom.dcmread(file)
        if syntax == DeflatedExplicitVRLittleEndian:
            data.file_meta.TransferSyntaxUID = syntax
        else:
            data.compress(syntax)
        data.save_as(file)
    assert read(tmp_path) == (ALL, {}, [])


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_lossless_jpeg_is_read_although_pydicom_may_have_no_decoder(tmp_path, compressor):
    write_apart(tmp_path, PixelRepresentation=0)
    for file in files_of(tmp_path):
        writer = sitk.ImageFileWriter()
        writer.SetFileName(str(tmp_path / "compressed.dcm"))
        writer.UseCompressionOn()
        writer.SetCompressor(compressor)
        writer.Execute(sitk.ReadImage(str(file)))
        data, compressed = pydicom.dcmread(file), pydicom.dcmread(tmp_path / "compressed.dcm")
        data.PixelData = compressed.PixelData
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = compressed.file_meta.TransferSyntaxUID
        data.save_as(file)
    (tmp_path / "compressed.dcm").unlink()
    assert read(tmp_path) == (ALL, {}, [])


def test_compression_without_a_decoder_is_named_and_a_cut_one_found(tmp_path):
    write_apart(tmp_path, PixelRepresentation=0)
    change_files(tmp_path, lambda data: data.compress(RLELossless))
    cut = files_of(tmp_path / "series5")[0]
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-30])
    assert_refused(tmp_path, r"phase 0, .* has 1 of 4 images that cannot be used \(the first is cut short\)")
    cut.write_bytes(whole)
    change_files(tmp_path, lambda data: setattr(data.file_meta, "TransferSyntaxUID", HIGH_THROUGHPUT))
    assert_refused(tmp_path, "pixels, compressed as High-Throughput JPEG 2000 .*, cannot be read; export")


@pytest.mark.parametrize("rows", [6, 10])
def test_rows_that_contradict_the_pixels_are_named(tmp_path, rows):
    write_apart(tmp_path, lambda p, k: {} if p else {"Rows": rows})
    assert_refused(tmp_path, f"series 5 .* has 128 bytes of pixels, but Rows and Columns ask for {rows * 16}")


def test_bits_that_are_not_used_may_hold_anything(tmp_path):
    write_apart(tmp_path, BitsStored=12, HighBit=11, PixelRepresentation=0)
    change_files(tmp_path, lambda d: setattr(d, "PixelData", (d.pixel_array.astype(np.uint16) | 0x3000).tobytes()))
    assert read(tmp_path)[0] == ALL


def test_floating_point_pixels_are_read(tmp_path):
    write_apart(tmp_path)

    def as_floats(data):
        data.FloatPixelData, data.BitsAllocated = data.pixel_array.astype(np.float32).tobytes(), 32
        for tag in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
            delattr(data, tag)

    change_files(tmp_path, as_floats)
    assert read(tmp_path)[0] == ALL


def test_copies_are_left_aside_and_different_ones_refused(tmp_path):
    write_apart(tmp_path)
    shutil.copytree(tmp_path / "series6", tmp_path / "again")
    assert read(tmp_path) == (ALL, {"has identical copies of other images": ("series 6 (dyn T1)", 4, False)}, [])
    change_files(tmp_path / "again", lambda data: setattr(data, "PixelData", bytes(len(data.PixelData))))
    assert_refused(tmp_path, r"phase 1, series 6 \(dyn T1\), has every slice 2 times, and nothing tells")


def test_series_sent_again_with_new_uids_is_left_aside_if_its_pixels_are_the_same(tmp_path):
    write_apart(tmp_path)
    write_series(tmp_path / "again", 16, PHASES[1], 75)
    phases, aside, _ = read(tmp_path)
    assert phases == ALL
    assert [reason[:27] for reason in aside] == ["is an identical copy of ser"]


def test_instance_uids_that_a_de_identifier_repeated_do_not_matter(tmp_path):
    write_apart(tmp_path)
    change_files(tmp_path, lambda data: setattr(data, "SOPInstanceUID", f"1.2.{data.InstanceNumber}"))
    assert read(tmp_path) == (ALL, {}, [])
    change_files(tmp_path, lambda data: data.pop("SOPInstanceUID") and None)
    assert read(tmp_path) == (ALL, {}, [])
