"""Simulated cohorts from Python are those of the command, which shows that it goes on."""

import breastpcr
import pytest
from PCRPredictorLib.command_line import app, run


def test_a_simulated_cohort_is_that_of_the_command(tmp_path, capsys):
    assert breastpcr.phantom(tmp_path / "python", 2, site="B", seed=3) == tmp_path / "python"
    words = ["phantom", str(tmp_path / "command"), "--patients", "2", "--site", "B", "--seed", "3"]
    assert run(app, words) == 0
    assert capsys.readouterr().out.startswith("1 of 2 patients\n2 of 2 patients\nWritten to ")
    tables = [(tmp_path / name / "clinical_and_imaging_info.csv").read_text() for name in ("python", "command")]
    assert tables[0] == tables[1]
    sources = breastpcr.find_exams(tmp_path / "python")
    assert {source.outcome for source in sources} <= {0, 1}
    assert not {"pcr", "true_probability", "patient_id", "manufacturer"} & sources[0].read().clinical.keys()


def test_a_folder_in_use_is_refused_by_its_name_and_without_an_option(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(breastpcr.DataError, match="already exists and is not an empty folder"):
        breastpcr.phantom(tmp_path)
