"""When contrast was injected, as the headers have it."""

import pytest
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from PCRPredictorLib.exam import exam_to_json
from support.dicom_exam import EXAM, item, write_dicom_exam, write_enhanced_exam

FOUR = (*EXAM.phases, EXAM.late + 5)


def test_injection_time_is_read_on_the_clock_of_the_acquisition(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusStartTime="101530.00")
    assert find_phases(tmp_path).injection == pytest.approx(30)


def test_injection_that_only_later_phases_tell_is_found(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=(EXAM.pre,))
    later = {"phases": EXAM.phases[1:], "ContrastBolusStartTime": "101530.00"}
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(120, 400), **later)
    assert find_phases(tmp_path).injection == pytest.approx(30)


def test_injection_is_placed_on_the_clock_of_ge(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", ContrastBolusStartTime="101530.00")
    assert find_phases(tmp_path).injection == pytest.approx(30)


@pytest.mark.parametrize("written", ["090000.00", "104500", "000000", "after lunch"])
def test_injection_outside_the_acquisition_is_not_believed(tmp_path, written):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusStartTime=written)
    found = find_phases(tmp_path)
    assert found.injection is None
    assert [notice.code for notice in found.notices] == ["injection_unusable"]


def test_injection_before_the_first_phase_is_a_warning(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusStartTime="101300.00")
    provenance = read_dicom_exam(tmp_path).provenance
    assert provenance.injection == pytest.approx(-120)
    assert [notice.code for notice in provenance.notices] == ["injection_before_pre"]


def test_seconds_after_the_injection_are_reported(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusStartTime="101530.00")
    content = exam_to_json(read_dicom_exam(tmp_path))
    assert content["injection_seconds"] == pytest.approx(30)
    early = content["phases"]["early"]
    assert (early["seconds"], early["after_injection"], early["after_first_post"]) == pytest.approx((120, 90, 0))


@pytest.mark.parametrize("apart", [True, False])
def test_injection_of_enhanced_mr_is_in_the_profile_of_its_agent(tmp_path, apart):
    profile = item(ContrastBolusStartTime="101530.00", ContrastBolusVolume="12")
    agent = item(ContrastAdministrationProfileSequence=profile)
    write_enhanced_exam(tmp_path, EXAM, apart=apart, header={"ContrastBolusAgentSequence": agent})
    assert find_phases(tmp_path).injection == pytest.approx(30)


def test_phase_without_an_agent_is_before_contrast(tmp_path):
    for number, (time, phase) in enumerate(zip((0, 100, 220, 340), FOUR, strict=True)):
        agent = {"ContrastBolusAgent": "Magnevist" if number > 1 else None}
        write_dicom_exam(tmp_path, EXAM, "siemens", (time,), (phase,), SeriesNumber=number + 3, **agent)
    provenance = read_dicom_exam(tmp_path).provenance
    assert provenance.picked.phases == (0, 2, 3)
    assert provenance.first_post == pytest.approx(220)


def test_frames_say_whether_an_agent_was_administered(tmp_path):
    def usage(number, _k):
        return item(ContrastBolusAgentAdministered="YES" if number > 1 else "NO")

    write_enhanced_exam(tmp_path, EXAM, (0, 90, 220), ContrastBolusUsageSequence=usage)
    assert find_phases(tmp_path).first_post == 2


@pytest.mark.parametrize("agent", ["Gadovist", None])
def test_agent_in_all_headers_or_in_none_tells_nothing(tmp_path, agent):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusAgent=agent)
    assert find_phases(tmp_path).first_post == 1
