"""`follow` of the Python package gives what the command gives."""

import json

import breastpcr
import pytest
from PCRPredictorLib.command_line import app, run
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  reads tables
from support.follow_up.response_model import write_tiny_response
from support.follow_up.visits import later_exam, small_exam, write_files, write_study

EXAM = small_exam(0, size=(24, 20, 8), spacing=(3, 3, 4))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_response(tmp_path_factory.mktemp("model") / "response")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("visits")
    write_files(folder / "T0", EXAM)
    write_files(folder / "T1", later_exam(EXAM, 0.6, 2))
    return folder


def test_exams_give_what_the_command_gives(files, model, tmp_path):
    places = {name: files / name for name in ("T0", "T1")}
    found = breastpcr.follow(places, days={"T1": 22}, clinical={"age": 52}, model=model, out=tmp_path / "python")
    words = [word for name, place in places.items() for word in ("--visit", name, str(place))]
    words += ["--day", "T1", "22", "--clinical", "age=52", "--model", str(model), "--out", str(tmp_path / "command")]
    assert run(app, ["follow", *words]) == 0
    results = [json.loads((tmp_path / name / "follow.json").read_text()) for name in ("python", "command")]
    assert results[0] == results[1]
    assert found.prediction.last.probability == results[0]["visits"][-1]["probability"]
    assert found.course.days == {"T0": 0, "T1": 22}


def test_studies_of_one_folder_are_named_in_their_order(model, tmp_path):
    for day, exam in ((0, EXAM), (22, later_exam(EXAM, 0.6, 2))):
        write_study(tmp_path / "dicom", day, exam)
    with pytest.raises(breastpcr.CallError, match=r"give the visit of each study in the order of time, as studies="):
        breastpcr.follow(tmp_path / "dicom", model=model)
    with pytest.raises(breastpcr.DataError, match="T0: no tumour mask"):
        breastpcr.follow(tmp_path / "dicom", studies=["T0", "T1"], model=model)


def test_a_table_of_measurements_needs_no_images(model, tmp_path):
    table = tmp_path / "values.csv"
    table.write_text("functional_volume_ml_T0,functional_volume_ml_T1\n12.5,3.1\n")
    found = breastpcr.follow(table, days={"T1": 20}, clinical={"age": 52}, model=model)
    assert [visit.visit for visit in found.prediction.visits] == ["T0", "T1"]
    with pytest.raises(breastpcr.CallError, match="are for exams, not for a table"):
        breastpcr.follow(table, masks={"T1": "gone"}, model=model)


@pytest.mark.parametrize(("name", "message"), [("T0", "which holds the input"), ("run", "holds a run already")])
def test_nothing_is_written_among_inputs_or_other_results(name, message, files, model, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "kind.json").touch()
    out = files / name if name == "T0" else tmp_path / name
    with pytest.raises(breastpcr.CallError, match=message):
        breastpcr.follow({"T0": files / "T0", "T1": files / "T1"}, model=model, out=out)


def test_mistakes_are_errors_with_one_sentence(files, model):
    with pytest.raises(breastpcr.DataError, match="a visit must be one of T0, T1, T2, T3, got T9"):
        breastpcr.follow({"T0": files / "T0", "T9": files / "T1"}, model=model)
    with pytest.raises(breastpcr.DataError, match="'agee' is not known to this model"):
        breastpcr.follow({"T0": files / "T0"}, clinical={"agee": 3}, model=model)
    with pytest.raises(breastpcr.DataError, match="--mask T2: T2 has no exam"):
        breastpcr.follow({"T0": files / "T0", "T1": files / "T1"}, masks={"T2": "gone"}, model=model)
