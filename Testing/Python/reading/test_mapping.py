import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.mapping import CohortMapping, read_mapping, resolve

OPPOSITES = ("kein pCR", "non-pCR", "Resttumor", "residual_disease")  # their yes is no complete response


def write(tmp_path, content):
    (tmp_path / "cohort.json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_without_a_mapping_everything_is_as_in_mama_mia(tmp_path):
    assert read_mapping(tmp_path) == CohortMapping()


def test_mapping_is_read_whole(tmp_path):
    files = ["{patient_id}_0.nii", "{patient_id}_1.nii", "{patient_id}_2.nii"]
    write(tmp_path, {"table": "a.csv", "columns": {"pcr": "Response"}, "phases": files, "mask": ["m/{patient_id}.nii"]})
    mapping = read_mapping(tmp_path)
    assert mapping.columns == {"pcr": "Response"}
    assert mapping.phases == tuple(files)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be JSON"),
        ({"colums": {}}, "colums is not known here; use table, sheet, columns"),
        ({"columns": ["pcr"]}, "columns must be an object in { }"),
        ({"phases": ["a", "b"], "mask": ["m"]}, "phases must name 3 files or more .*, got 2"),
        ({"phases": ["a", "b", "c"]}, "must be given together"),
        ([], "must be an object, as in"),
        ({"phases": ["a\0", "b", "c"], "mask": ["m"]}, "phases and mask must name files, got .a.x00"),
        ('{"columns": {"pcr": NaN}}', "must be JSON .numbers must be finite, got NaN"),
        ('{"table": "a", "table": "b"}', "'table' is given twice"),
        ("[" * 100_000, "must be JSON .it has more than 64 levels"),
        ({"table": ["a"] * 100}, r"table must be a valid string, got .{60}\.\.\.$"),
        ({"phases": ["a", "b", "a"], "mask": ["m"]}, "phases must name a different file each"),
        ({"phases": ["1{a}", "2{a}", "3{a}"], "mask": ["m/P1.nii"]}, "'m/P1.nii' is one file for all patients"),
        ({"series": "C:\\d\\{a}.nii", "mask": ["m{a}"]}, "must stay inside the cohort's folder"),
        ({"series": "{a}.nii", "mask": ["/m/{a}.nii"]}, "must stay inside the cohort's folder"),
        ({"phases": "{a}.nii", "mask": ["m{a}"]}, r"phases must be a list in \[ \], got '{a}.nii'"),
        (
            {"columns": {"pcr": "RCB class"}},
            "values must say what each RCB class means for pcr: class 0 is",
        ),
        *(({"columns": {"pcr": name}}, f"values must say what the cells of '{name}' mean") for name in OPPOSITES),
        ({"values": {"pcr": {"Yes": "1", "yes": "0"}}}, "values must give 'Yes' of pcr one meaning, got two"),
    ],
)
def test_invalid_mapping_is_reported_in_one_sentence(tmp_path, content, message):
    write(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_mapping(tmp_path)
    assert "\n" not in str(caught.value)


def test_one_mask_needs_no_list_and_folders_may_be_written_as_in_windows(tmp_path):
    write(tmp_path, {"phases": ["a\\{b}_1", "a\\{b}_2", "a\\{b}_3"], "mask": "m\\{b}"})
    mapping = read_mapping(tmp_path)
    assert (mapping.phases[0], mapping.mask) == ("a/{b}_1", ("m/{b}",))


def test_files_are_named_by_columns_of_the_table(tmp_path):
    path = resolve(tmp_path, "scans/{folder}/{patient_id}.nii", {"patient_id": "A 1", "folder": "x"})
    assert path == tmp_path / "scans" / "x" / "A 1.nii"
    with pytest.raises(DataError, match="must have columns of the table in its braces"):
        resolve(tmp_path, "{nothing}.nii", {"patient_id": "A"})


def test_files_stay_inside_the_cohort(tmp_path):
    for pattern in ("../{patient_id}", "/etc/{patient_id}", "{patient_id}"):
        with pytest.raises(DataError, match="must stay inside the cohort's folder"):
            resolve(tmp_path, pattern, {"patient_id": "../../secret"})


def test_numbers_may_be_written_without_quotes(tmp_path):
    write(tmp_path, {"sheet": 2019, "values": {"pcr": {"complete": 1}}})
    assert read_mapping(tmp_path) == CohortMapping(sheet="2019", values={"pcr": {"complete": "1"}})


def test_zeros_of_a_file_name_can_be_given_back(tmp_path):
    assert resolve(tmp_path, "{patient_id:03}/{patient_id}.nii", {"patient_id": "7"}) == tmp_path / "007" / "7.nii"


@pytest.mark.parametrize(
    "pattern",
    [
        "{patient_id:>20000000000}",
        "{patient_id.__class__}",
        "{patient_id!r}",
        "{}",
        "{patient_id",
        "a}",
        "{{patient_id}}",
    ],
)
def test_nothing_but_columns_stands_in_braces(tmp_path, pattern):
    with pytest.raises(DataError, match="must have columns of the table in its braces"):
        resolve(tmp_path, pattern, {"patient_id": "A"})


@pytest.mark.parametrize(("pattern", "row"), [("a\0b", "A"), ("{patient_id}", "A\0"), ("{patient_id}", "A" * 300)])
def test_what_cannot_be_the_name_of_a_file_is_refused(tmp_path, pattern, row):
    with pytest.raises(DataError, match=r"must name a file, got '.{1,90}$"):
        resolve(tmp_path, pattern, {"patient_id": row})
