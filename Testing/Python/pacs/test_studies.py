"""Studies as a real PACS lists them, and what is made of a list that no PACS should send."""

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs import studies as module
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.rows import columns, rows_of
from PCRPredictorLib.pacs.studies import Query, check_dates, check_uid, find_instances, find_studies, find_study
from PCRPredictorLib.pacs.study import Series, Study, looks_like_dce
from support.pacs import faults
from support.pacs.connected import connected
from support.pacs.faulty_archive import Fault, faulty_archive
from support.pacs.orthanc import needs_orthanc
from support.pacs.studies import make_studies


@pytest.fixture
def pacs(orthanc, tmp_path):
    """A PACS with two studies, and a connection to it."""
    first, second = make_studies(2)
    named = {"SpecificCharacterSet": "ISO_IR 192", "StudyDescription": "Schädel", "BodyPartExamined": "HEAD"}
    (later,) = make_studies(StudyDate="20240305", **named)
    for study in (first, second, later):
        for content in study.files:
            orthanc.upload_bytes(content)
    found = connected(tmp_path, orthanc.url)
    found.uids = [first.uid, second.uid, later.uid]
    return found


@needs_orthanc
def test_studies_are_found_by_what_is_asked_the_newest_first(pacs):
    def found(**query):
        return [study.uid for study in find_studies(pacs.connection, Query(**query))]

    first, second, later = pacs.uids
    assert found()[0] == later
    assert set(found()) == {first, second, later}
    assert found(patient="SECRET-1") == [second]
    assert set(found(date="20240101-20240110")) == {first, second} == set(found(date="-2024-01-02"))
    assert found(date="20240305") == found(date="20240201-") == [later]
    assert set(found(description="breast")) == {first, second}
    assert found(description="Schädel") == [later]
    assert set(found(description="MR breast")) == {first, second}
    assert set(found(patient="secret-?")) == {first, second, later}
    assert set(found(name="Secret^Anna")) == {first, second, later}
    assert found(description="MR knee & more%") == []
    assert found(study=second) == [second]
    assert found(modality="CT") == found(patient="nobody") == []
    assert len(found(modality="seg")) == 3


@needs_orthanc
def test_a_study_has_series_with_what_they_are(pacs):
    study = find_study(pacs.connection, pacs.uids[0])
    assert [(one.modality, one.number, one.images) for one in study.series] == [
        ("MR", 5, 6),
        ("MR", 6, 6),
        ("MR", 7, 6),
        ("SEG", 90, 1),
    ]
    assert (study.looks_like_dce, len(study.segmentations), study.is_predicted) == ("likely", 1, False)
    assert len(find_instances(pacs.connection, study.uid, study.series[0].uid)) == 6


@needs_orthanc
def test_a_study_that_is_not_there_is_reported(pacs):
    with pytest.raises(DataError, match=r"has no study 1\.2\.99; pcr pacs find lists its studies"):
        find_study(pacs.connection, "1.2.99")


@needs_orthanc
def test_two_patients_under_one_uid_are_refused(orthanc, tmp_path):
    (study,) = make_studies()
    for content in study.images:
        orthanc.upload_bytes(content)
        orthanc.upload_bytes(content.replace(b"SECRET-0", b"SECRET-8"))
    with pytest.raises(DataError, match=r"is of 2 patients in the PACS .*; have it corrected there") as caught:
        find_study(connected(tmp_path, orthanc.url).connection, study.uid)
    assert "SECRET" not in str(caught.value)


@needs_orthanc
def test_lists_are_read_page_by_page_also_if_pages_are_ignored(pacs, monkeypatch):
    monkeypatch.setattr(module, "_PAGE", 2)
    assert len(find_studies(pacs.connection)) == 3
    client = pacs.connection.client
    monkeypatch.setattr(client, "search_for_studies", lambda **_: type(client).search_for_studies(client))
    assert len(find_studies(pacs.connection)) == 3


@needs_orthanc
@pytest.mark.parametrize(
    "content", ["text", [1], ["1.2"], [{"0020000D": 5}], [{"0020000D": {"Value": {"a": 1}}}], [[]], 7]
)
def test_an_answer_without_studies_is_refused_or_empty(orthanc, tmp_path, content):
    with faulty_archive(orthanc.url, Fault(faults.says_json(content))) as archive:
        try:
            assert find_studies(connected(tmp_path, archive.url).connection) == []
        except PacsError as error:
            assert "no DICOM JSON; check that url is that of the DICOMweb root" in str(error)


@needs_orthanc
def test_an_error_in_json_is_no_empty_list(orthanc, tmp_path):
    with faulty_archive(orthanc.url, Fault(faults.says_json({"error": "SECRET"}))) as archive:
        connection = connected(tmp_path, archive.url).connection
        with pytest.raises(PacsError, match="no DICOM JSON; check that url is that of the DICOMweb root"):
            find_studies(connection)


@needs_orthanc
def test_uids_that_are_none_are_left_out(orthanc, tmp_path):
    rows = [{"0020000D": {"vr": "UI", "Value": [uid]}} for uid in ("../../x", "1.2.3", "1.2?x=1", "", None, "1" * 70)]
    with faulty_archive(orthanc.url, Fault(faults.says_json(rows))) as archive:
        assert [study.uid for study in find_studies(connected(tmp_path, archive.url).connection)] == ["1.2.3"]


@needs_orthanc
def test_more_than_is_read_is_refused(orthanc, tmp_path, monkeypatch):
    from PCRPredictorLib.pacs import connection

    monkeypatch.setattr(connection, "ANSWER", 2000)
    long = Fault(faults.says_json([{"x": "y" * 3000}]))
    with faulty_archive(orthanc.url, long) as archive, pytest.raises(PacsError, match="answers with more than is read"):
        find_studies(connected(tmp_path, archive.url).connection)


def series(*images, description="", **more):
    return [Series(str(n), "MR", n, description, count, **more) for n, count in enumerate(images, 1)]


@pytest.mark.parametrize(
    ("description", "found", "expected"),
    [
        ("MR breast", series(60, 60, 60, 20), "likely"),
        ("MRT Mamma bds.", series(300, description="t1 dyn"), "likely"),
        ("", series(80, 80, 80, body_part="BREAST"), "likely"),
        ("MR breast", series(30, description="t2 tse"), "possible"),
        ("", series(80, 80, 80), "possible"),
        ("MR knee", series(20, 30, description="pd fs"), "no"),
        ("mammography", [Series("1", "MG", 1, "R CC", 1)], "no"),
        ("MR breast", [], "no"),
    ],
)
def test_a_study_looks_like_breast_dce_by_names_and_numbers(description, found, expected):
    assert looks_like_dce(description, found) == expected


def test_results_of_this_software_are_told_from_other_series():
    named = Series("1", "SEG", 9500, "Tumour segmentation, research use only")
    assert named.is_ours
    assert Series("1", "SEG", 4, "renamed", manufacturer="BreastPCR").is_ours
    assert not Series("1", "SEG", 9500, "somebody else's").is_ours
    study = Study("1.2", series=(named, Series("2", "SEG", 8), Series("3", "SR", 9502, "x, research use only")))
    assert ([one.uid for one in study.segmentations], study.is_predicted) == (["2"], True)


@pytest.mark.parametrize("text", ["", "1.2.", "abc", "1.2/../3", "1.2\n", "٣.٤", "1" * 65, "1..2"])
def test_what_is_no_uid_is_refused_before_the_pacs_is_asked(text):
    with pytest.raises(DataError, match="--study must be a UID, numbers with dots"):
        check_uid(text)


def test_dates_are_read_with_and_without_hyphens():
    assert [
        check_dates(text) for text in ("20240131", "2024-01-31", "20240101-", "-2024-01-31", "2024-01-01-2024-02-01")
    ] == [
        "20240131",
        "20240131",
        "20240101-",
        "-20240131",
        "20240101-20240201",
    ]
    with pytest.raises(DataError, match="--date must be a date or a range"):
        check_dates("January")


def test_rows_name_the_patient_only_if_that_is_asked_for():
    study = Study("1.2", "20240101", "MR breast", ("MR",), 3, patient_id="SECRET", patient_name="SECRET^ANNA")
    (row,), (named,) = rows_of([study]), rows_of([study], True)
    assert tuple(row) == columns()
    assert "SECRET" not in str(row) + repr(study)
    assert (named["patient_id"], tuple(named)) == ("SECRET", columns(True))


def listed(folder, query, *rows):
    """Return the studies of a PACS that lists these rows whatever it is asked for."""
    content = [{tag: {"Value": [value]} for tag, value in row.items()} for row in rows]
    with faulty_archive("http://127.0.0.1:9/dicom-web", Fault(faults.says_json(content))) as archive:
        return find_studies(connected(folder, archive.url).connection, query)


def test_other_people_are_left_out_also_if_the_pacs_lists_them(tmp_path):
    names = ({"Alphabetic": "Müller^Anna"}, {"Alphabetic": "Miller^Anna"}, {"Alphabetic": "MULLER^ANNA^^"}, {})
    names += ({"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"},)
    rows = [{"0020000D": f"1.2.{n}", "00100010": name} for n, name in enumerate(names)]

    def found(name):
        return {study.uid for study in listed(tmp_path, Query(name=name), *rows)}

    assert found("Müller^Anna") == {"1.2.0", "1.2.2"}
    assert found("m?ller*") == {"1.2.0", "1.2.1", "1.2.2"}
    assert found("山田*") == {"1.2.4"}
    assert found("[MN]*") == set()


def test_descriptions_that_name_the_patient_are_shown_without(tmp_path):
    patient = {"00100010": {"Alphabetic": "Muster^Anna"}, "00100020": "ID-123", "00100030": "19700102"}
    rows = {"0020000D": "1.2.3", "0020000E": "1.2.4", "0008103E": "Muster dyn ID-123 19700102", "00081030": "MR anna"}
    content = [{tag: {"Value": [value]} for tag, value in {**rows, **patient, "00200011": 3}.items()}]
    with faulty_archive("http://127.0.0.1:9/dicom-web", Fault(faults.says_json(content))) as archive:
        study = find_study(connected(tmp_path, archive.url).connection, "1.2.3")
    assert str(study.series[0]) == "series 3 ([patient] dyn [patient] [patient])"
    assert rows_of([study])[0]["description"] == "MR [patient]"
    assert rows_of([study], True)[0]["description"] == "MR anna"


@pytest.mark.parametrize("end", [faults.says_json([]), faults.refuses(404)])
def test_short_pages_are_read_until_nothing_new_comes(tmp_path, end):
    pages = [faults.says_json([{"0020000D": {"Value": [f"1.2.{n}{k}"]}} for k in range(2)]) for n in range(1, 4)]
    with faulty_archive("http://127.0.0.1:9", *(Fault(page, times=1) for page in pages), Fault(end)) as archive:
        assert len(find_studies(connected(tmp_path, archive.url).connection)) == 6
