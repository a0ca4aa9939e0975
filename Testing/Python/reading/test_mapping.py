import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.mapping import CohortMapping, read_mapping, resolve


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
        ({"columns": ["pcr"]}, r"columns must be a valid mapping|columns must be a valid dictionary"),
        ({"phases": ["a", "b"], "mask": ["m"]}, "phases must name 3 files or more .*, got 2"),
        ({"phases": ["a", "b", "c"]}, "phases and mask must be given together"),
        ([], "must be a dictionary"),
    ],
)
def test_invalid_mapping_is_reported_in_one_sentence(tmp_path, content, message):
    write(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_mapping(tmp_path)
    assert "\n" not in str(caught.value)


def test_files_are_named_by_columns_of_the_table(tmp_path):
    path = resolve(tmp_path, "scans/{folder}/{patient_id}.nii", {"patient_id": "A 1", "folder": "x"})
    assert path == tmp_path / "scans" / "x" / "A 1.nii"
    with pytest.raises(DataError, match="must have columns of the table in its braces"):
        resolve(tmp_path, "{nothing}.nii", {"patient_id": "A"})


def test_files_stay_inside_the_cohort(tmp_path):
    for pattern in ("../{patient_id}", "/etc/{patient_id}", "{patient_id}"):
        with pytest.raises(DataError, match="must stay inside the cohort's folder"):
            resolve(tmp_path, pattern, {"patient_id": "../../secret"})
