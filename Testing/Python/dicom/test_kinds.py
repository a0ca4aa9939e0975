"""Settings of images are compared with tolerances, and images of other kinds are named."""

import numpy as np
import pytest
from PCRPredictorLib.dicom.kinds import Kind
from PCRPredictorLib.geometry import Geometry
from support.dicom.folder import PHASES, TIMES, read, write_apart, write_series, write_together
from support.dicom_exam import assert_refused

ALL = (0, 2, 4)  # pre, early and late of the five phases


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("EchoTime", ("2.349", "2.351", "2.351", "2.351", "2.351")),
        ("EchoTime", ("2.55", "2.4", "2.4", "2.4", "2.4")),
        ("EchoTime", (None, "2.4", "2.4", "2.4", "2.4")),
        ("FlipAngle", ("10", "10.04", "9.96", "10", "10.4")),
        ("RepetitionTime", ("5.1", "5.14", "5.18", "5.22", "5.3")),
        ("ScanOptions", (["PFP", "FS"], ["FS"], None, ["FS", "PFP"], ["FS"])),
        ("ImageType", [["ORIGINAL", "PRIMARY", "M"], *[["ORIGINAL", "PRIMARY", "M", "ND", "MFSPLIT"]] * 4]),
        ("ImageType", [["ORIGINAL", "PRIMARY", "M", "ND", "NORM"], ["ORIGINAL", "PRIMARY", "M", "NORM", "ND"]] * 3),
    ],
)
def test_settings_that_a_scanner_rounds_or_leaves_out_are_equal(tmp_path, tag, values):
    write_apart(tmp_path, lambda p, k: {tag: values[p]})
    assert read(tmp_path) == (ALL, {}, [])


def test_echo_times_of_the_slices_of_a_phase_may_differ(tmp_path):
    write_together(tmp_path, lambda p, k: {"EchoTime": f"{2.34 + 0.01 * k}"})
    assert read(tmp_path)[0] == (0, 1, 4)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"EchoTime": "2.75"}, "its echo time is 2.75 ms instead of 2.4 ms"),
        ({"FlipAngle": "15"}, "its flip angle is 15 degrees instead of 10 degrees"),
        ({"RepetitionTime": "9"}, "its repetition time is 9 ms instead of 5.1 ms"),
        ({"ImageType": ["DERIVED", "PRIMARY", "M"]}, "its image type is DERIVED/PRIMARY/M instead of ORIGINAL/PRIMARY"),
        ({"ScanOptions": ["PFP"]}, "its images were taken without fat suppression"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "has inverted images"),
        ({"ImagePositionPatient": None, "SliceLocation": 3}, "has images without ImagePositionPatient"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "has images with an invalid ImageOrientationPatient"),
        ({"PixelSpacing": [1.56, 1.56]}, r"lies on a different grid: spacing \(1.56 x 1.56 x 3 against 1.5"),
    ],
)
def test_first_series_with_a_different_setting_is_never_passed_over(tmp_path, tags, reason):
    write_apart(tmp_path, lambda p, k: {} if p else tags, ScanOptions=["PFP", "FS"])
    assert_refused(tmp_path, rf"series 5 \(dyn T1\) may be a phase of the exam but {reason}.* --pick \(0: series 6")
    phases, aside, _ = read(tmp_path, pick=(0, 1, 3))
    assert phases == (1, 2, 4)
    assert list(aside.values()) == [("series 5 (dyn T1)", 4, True)]


@pytest.mark.parametrize(("which", "used"), [(2, (0, 1, 4)), (4, (0, 2, 3))])
def test_later_series_with_a_different_setting_is_a_warning(tmp_path, which, used):
    write_apart(tmp_path, lambda p, k: {"EchoTime": "2.9"} if p == which else {})
    aside = {"its echo time is 2.9 ms instead of 2.4 ms": (f"series {5 + which} (dyn T1)", 4, True)}
    assert read(tmp_path) == (used, aside, [])


def test_pre_contrast_series_is_known_by_its_name_on_the_same_grid(tmp_path):
    other = {"EchoTime": "2.9", "SeriesDescription": "native vibe"}
    write_apart(tmp_path, lambda p, k: {} if p else other)
    assert_refused(tmp_path, r"series 5 \(native vibe\) may be a phase of the exam but its echo time")


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"ScanningSequence": "SE"}, "is a spin-echo series"),
        ({"ScanningSequence": "EP"}, "is an echo-planar or diffusion series"),
        ({"DiffusionBValue": 800.0}, "is an echo-planar or diffusion series"),
        ({"ImageType": ["DERIVED", "PRIMARY", "M", "SUB"]}, "is computed from other images (SUB)"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MIP"]}, "is computed from other images (MIP)"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, "has no magnitude images (P)"),
        ({"Modality": "SEG"}, "is of the modality SEG"),
        ({"SamplesPerPixel": 3, "PixelData": bytes(384)}, "has images in colour (3 values per pixel)"),
    ],
)
def test_series_that_are_never_phases_are_named_without_a_warning(tmp_path, tags, reason):
    write_apart(tmp_path)
    write_series(tmp_path, 3, PHASES[0], -60, **tags)
    assert read(tmp_path) == (ALL, {reason: ("series 3 (dyn T1)", 4, False)}, [])


@pytest.mark.parametrize("name", ["dyn_SUB1", "Subtraktion 1-nativ", "MIP dyn", "t2_tse_tra", "ep2d diff b800", "STIR"])
@pytest.mark.parametrize("time", [-600, 151, 900])
def test_series_on_the_grid_that_is_named_like_other_images_is_no_phase(tmp_path, name, time):
    write_apart(tmp_path)
    write_series(tmp_path, 30, PHASES[4] + 9, time, SeriesDescription=name)
    phases, aside, codes = read(tmp_path)
    assert (phases, list(aside.values()), codes) == (ALL, [(f"series 30 ({name})", 4, True)], [])


@pytest.mark.parametrize("names", ["dyn_t{}", "t1 sub-mm {}", "dyn + sub {}", "subject {} t1"])
def test_phases_may_have_names_that_resemble_those_of_other_images(tmp_path, names):
    write_apart(tmp_path, lambda p, k: {"SeriesDescription": names.format(p)})
    assert read(tmp_path) == (ALL, {}, [])


def test_localiser_is_named_without_a_warning(tmp_path):
    write_apart(tmp_path)
    geometry = Geometry((16, 16, 3), (4.0, 4.0, 9.0))
    write_series(tmp_path, 1, np.zeros((3, 16, 16)), -300, geometry=geometry, SeriesDescription="localizer")
    assert read(tmp_path)[1] == {"has 16 x 16 pixels instead of 8 x 8": ("series 1 (localizer)", 3, False)}


def test_flip_angles_of_a_map_on_the_grid_of_the_phases_are_a_warning(tmp_path):
    write_apart(tmp_path)
    write_series(tmp_path, 3, PHASES[0], -60, FlipAngle="2", SeriesDescription="t1 map fa 2")
    aside = {"its flip angle is 2 degrees instead of 10 degrees": ("series 3 (t1 map fa 2)", 4, True)}
    assert read(tmp_path) == (ALL, aside, [])


def test_subtractions_that_only_say_derived_are_known_by_their_moments(tmp_path):
    write_apart(tmp_path)
    for p in range(1, 5):
        write_series(tmp_path, 20 + p, PHASES[p] - PHASES[0], TIMES[p], ImageType=["DERIVED", "PRIMARY", "M"])
    phases, aside, codes = read(tmp_path)
    assert (phases, codes) == (ALL, [])
    assert not any(looks for _, _, looks in aside.values())


@pytest.mark.parametrize("write", [write_apart, write_together])
def test_fat_and_echoes_of_dixon_are_left_aside_without_a_warning(tmp_path, write):
    for n, name in enumerate(("WATER", "FAT", "IN_PHASE", "OPP_PHASE")):
        uid = "1.2.{}.{}" if write is write_apart else "1.2.{}"
        kind = ["DERIVED", "PRIMARY", "DIXON", name]
        write(tmp_path / name, lambda p, k, n=n, uid=uid: {"SeriesInstanceUID": uid.format(n, p)}, ImageType=kind)
    phases, aside, codes = read(tmp_path)
    assert phases[0] == 0
    assert len(aside) == 3 and not any(looks for _, _, looks in aside.values())
    assert codes == []


def test_two_echoes_are_refused_with_their_difference(tmp_path):
    write_apart(tmp_path / "1")
    write_apart(tmp_path / "2", lambda p, k: {"EchoTime": "4.8", "SeriesNumber": 20 + p})
    assert_refused(tmp_path, r"several dynamic series, .* the echo time is (2.4|4.8) ms instead of (2.4|4.8) ms")


def test_kinds_are_compared_only_by_what_both_name():
    assert Kind().difference(Kind(("ORIGINAL",), 2.4, 10.0, 5.0, True)) == ""
    assert Kind(echo_time=float("nan")).difference(Kind(echo_time=2.4)) == "echo time is nan ms instead of 2.4 ms"
