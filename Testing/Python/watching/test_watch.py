"""Tests of the watch, without a PACS."""

import errno
import json

import pytest
from PCRPredictorLib.archive import journal
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.study import Series
from PCRPredictorLib.watching.records import FETCHED, JOURNAL, TABLE, Outcome
from PCRPredictorLib.watching.stopping import Stopped
from PCRPredictorLib.watching.worker import Died
from PCRPredictorLib.writing import read_csv
from support.pacs.watched import PREDICTED, Scene, gone, study_of, with_more

FAILED = Outcome("failed", error="study 1.1 has two phases; send the third")
WAITING = Outcome("waiting", error="the PACS at pacs.example is full; free some space")


@pytest.fixture
def scene(tmp_path, monkeypatch):
    return Scene(tmp_path / "out", monkeypatch)


def rows(scene):
    return read_csv(scene.folder / TABLE)


def lines(scene):
    return [json.loads(line) for line in (scene.folder / JOURNAL).read_text().splitlines()[1:]]


def test_each_study_is_predicted_once(scene):
    scene.studies = [study_of("1.1"), study_of("1.2")]
    scene.run()
    assert sorted(scene.runner.ran) == ["1.1", "1.2"]
    assert [row["state"] for row in rows(scene)] == ["predicted", "predicted"]


def test_a_restarted_watch_goes_on(scene):
    scene.studies = [study_of("1.1")]
    scene.run()
    scene.studies.append(study_of("1.2"))
    scene.run()
    assert scene.runner.ran == ["1.1", "1.2"]


def test_a_study_that_is_arriving_is_waited_for(scene):
    images = iter(range(1, 7))
    scene.before_look = lambda: scene.studies.__setitem__(
        slice(None), [study_of(images=(6, 6, min(next(images, 6), 6)))]
    )
    scene.run(seconds=400)
    assert scene.runner.ran == []
    assert len([said for said in scene.said if "so far" in said]) == 1
    scene.run(seconds=400)
    assert scene.runner.ran == ["1.1"]


def test_the_segmentation_may_come_a_day_later(scene):
    scene.studies = [study_of(segmentations=0)]
    scene.run(seconds=86400)
    assert scene.runner.ran == []
    scene.studies = [study_of()]
    scene.run()
    assert scene.runner.ran == ["1.1"]


def test_without_a_segmentation_the_tumour_is_found_if_that_is_wanted(scene):
    scene.studies = [study_of("1.1", segmentations=0), study_of("1.2")]
    scene.run(find_tumour=True)
    assert dict(zip(scene.runner.ran, scene.runner.finds, strict=True)) == {"1.1": True, "1.2": False}


def test_what_fails_for_good_is_tried_once_and_again_on_request(scene):
    scene.studies, scene.runner.outcomes = [study_of()], {"1.1": [FAILED, PREDICTED]}
    scene.run()
    scene.run()
    assert scene.runner.ran == ["1.1"]
    assert rows(scene)[0]["error"] == FAILED.error
    scene.run(again=True)
    assert scene.runner.ran == ["1.1", "1.1"]
    assert rows(scene)[0]["state"] == "predicted"


def test_a_failed_study_that_changes_is_tried_again(scene):
    scene.studies, scene.runner.outcomes = [study_of(images=(6, 6))], {"1.1": [FAILED, PREDICTED]}
    scene.run()
    scene.studies = [study_of()]
    scene.run()
    assert rows(scene)[0]["state"] == "predicted"


def test_what_waits_for_the_pacs_is_tried_in_growing_pauses_and_written_once(scene):
    scene.studies, scene.runner.outcomes = [study_of()], {"1.1": [WAITING]}
    scene.run(seconds=7200)
    assert 8 < len(scene.runner.ran) < 25
    assert [line["rows"][0]["state"] for line in lines(scene)] == ["waiting"]
    scene.runner.outcomes = {}
    scene.run()
    assert rows(scene)[0]["state"] == "predicted"


def test_others_do_not_wait_for_it(scene):
    scene.studies, scene.runner.outcomes = [study_of("1.1"), study_of("1.2")], {"1.2": [WAITING]}
    scene.run(seconds=200)
    assert "1.1" in scene.runner.ran


def test_a_pacs_that_is_away_is_waited_for_in_growing_pauses_and_said_once(scene):
    scene.studies, scene.problems = [study_of()], [None, *[gone()] * 9]
    scene.run(seconds=5000)
    assert len([said for said in scene.said if "asked again" in said]) == 1
    assert scene.waits[1:8] == [5, 10, 20, 40, 80, 160, 320]
    assert max(scene.waits) == 600
    assert "the PACS at pacs.example answers again" in scene.said
    assert scene.runner.ran == ["1.1"]


def test_what_was_arriving_when_the_pacs_went_is_waited_for_anew(scene):
    scene.studies, scene.problems = [study_of(images=(6, 6))], [None, *[gone()] * 6]
    scene.run(seconds=60 + 315 + 95)
    assert scene.said[-1] == "the PACS at pacs.example answers again"
    assert scene.runner.ran == []
    scene.studies = [study_of()]
    scene.run()
    assert scene.runner.ran == ["1.1"]


def test_a_pacs_that_is_away_at_first_is_waited_for_too(scene):
    scene.studies, scene.problems = [study_of()], [gone()]
    scene.run()
    assert scene.runner.ran == ["1.1"]


def test_a_refused_sign_in_ends_the_watch_at_its_first_look_only(scene):
    scene.problems = [gone(may_pass=False)]
    with pytest.raises(PacsError, match="refuses"):
        scene.run()
    scene.studies, scene.problems = [study_of()], [None, gone(may_pass=False)]
    scene.run()
    assert scene.runner.ran == ["1.1"]


def test_what_ends_the_process_is_tried_three_times(scene):
    scene.studies, scene.runner.outcomes = [study_of()], {"1.1": [Died()]}
    scene.run()
    scene.run()
    assert len(scene.runner.ran) == 3
    assert "3 times; predict it with pcr pacs predict" in rows(scene)[0]["error"]


def test_results_and_reports_that_come_later_change_nothing(scene):
    scene.studies = [study_of()]
    scene.run()
    ours = Series("1.1.7", "SEG", 9500, "Tumour segmentation, research use only", 1, manufacturer="BreastPCR")
    scene.studies = [with_more(study_of(), ours, Series("1.1.8", "SR", 3, "report", 1))]
    scene.run()
    assert scene.runner.ran == ["1.1"]


@pytest.mark.parametrize(("voxels", "note"), [("voxels", "is the same"), ("other voxels", "predicted again")])
def test_images_that_come_later_are_looked_into(scene, voxels, note):
    scene.studies = [study_of()]
    scene.run()
    scene.studies = [with_more(study_of(), Series("1.1.8", "MR", 12, "T2", 20))]
    scene.runner.outcomes = {"1.1": [WAITING, Outcome("predicted", PREDICTED.rows, voxels)]}
    scene.run()
    scene.run()
    assert scene.runner.ran == ["1.1"] * 3
    assert note in rows(scene)[0]["note"]


def test_studies_that_do_not_change_are_not_asked_for_again_and_again(scene):
    scene.studies = [study_of("1.1"), study_of("1.2", segmentations=0)]
    scene.run(seconds=300)
    scene.asked.clear()
    scene.run(seconds=500)
    assert 2 <= len(scene.asked) <= 4


def test_what_is_held_in_memory_goes_with_the_studies(scene):
    scene.studies = [study_of("1.1"), study_of("1.2", segmentations=0)]
    with scene.watch() as watch:
        watch.look()
        scene.studies = []
        watch.look()
        held = watch._arrivals._since, watch._looked, watch._arriving, watch._pauses._until
        assert [len(each) for each in held] == [0, 0, 0, 0]


def test_once_waits_for_what_is_arriving_and_ends(scene):
    scene.studies = [study_of("1.1"), study_of("1.2")]
    with scene.watch() as watch:
        looks = iter([6, 5, 4])
        scene.before_look = lambda: scene.studies.__setitem__(0, study_of("1.1", images=(6, 6, next(looks))))
        assert watch.run_once() == 1
    assert scene.runner.ran == ["1.2"]
    assert scene.waits == [100]


def test_once_goes_on_with_the_studies_after_one_that_waits(scene):
    scene.studies, scene.runner.outcomes = [study_of("1.3"), study_of("1.2"), study_of("1.1")], {"1.1": [WAITING]}
    with scene.watch() as watch:
        watch.run_once()
        assert watch.waiting == {"1.1"}
    assert scene.runner.ran == ["1.1", "1.2", "1.3"]


REMOVED = PacsError("the PACS at pacs.example has no such study (404); look there", status=404)
TOO_MANY = DataError("the PACS at pacs.example lists more than 9 rows; ask for fewer")


@pytest.mark.parametrize("problem", [REMOVED, TOO_MANY, gone(), gone(may_pass=False)])
@pytest.mark.parametrize("others", [[], ["1.2", "1.3"]])
def test_a_study_that_the_pacs_does_not_tell_of_leaves_the_others_alone(scene, problem, others):
    scene.studies, scene.untold = [study_of(uid) for uid in ["1.1", *others]], {"1.1": problem}
    scene.run()
    assert sorted(scene.runner.ran) == others
    assert 5 < scene.asked.count("1.1") < 10
    assert f"study 1.1: {problem}. It is tried again in 5 s." in scene.said
    with scene.watch() as watch:
        watch.run_once()
        assert watch.waiting == {"1.1"}


def test_a_pacs_that_tells_of_no_study_ends_the_watch_if_that_will_not_pass(scene):
    scene.studies = [study_of("1.1"), study_of("1.2")]
    scene.untold = dict.fromkeys(["1.1", "1.2"], gone(may_pass=False))
    with pytest.raises(PacsError, match="refuses"):
        scene.run()
    scene.untold = dict.fromkeys(["1.1", "1.2"], REMOVED)
    scene.run()


def test_a_pacs_that_goes_during_a_look_is_not_asked_for_every_study(scene):
    scene.studies = [study_of(f"1.{n}") for n in range(1, 30)]
    scene.untold = dict.fromkeys([study.uid for study in scene.studies], gone())
    scene.problems = [None, gone()]
    with scene.watch() as watch, pytest.raises(PacsError):
        watch.look()
    assert len(scene.asked) == 3


def test_the_end_of_both_processes_is_no_failure_of_the_study(scene):
    scene.studies, scene.runner.outcomes = [study_of()], {"1.1": [Died()]}
    with scene.watch() as watch:
        watch.stopping.wait(200)
        watch.look()
        watch.stopping.wait(200)
        (ready,) = watch.look()
        watch.stopping.asked = True
        with pytest.raises(Stopped):
            watch._run(ready.study)
    assert not (scene.folder / JOURNAL).exists()


def test_what_a_killed_watch_had_fetched_is_removed(scene):
    (scene.folder / FETCHED).mkdir(parents=True)
    with scene.watch():
        assert not (scene.folder / FETCHED).exists()
        (scene.folder / FETCHED / "1.1").mkdir(parents=True)
    assert not (scene.folder / FETCHED).exists()


@pytest.mark.parametrize(
    "edit", [lambda lines: lines[:1], lambda lines: [lines[0], lines[2]], lambda lines: ["", *lines]]
)
def test_a_journal_that_is_edited_during_the_watch_ends_it_in_a_sentence(scene, edit):
    scene.studies = [study_of("1.1"), study_of("1.2")]
    scene.run()
    with scene.watch() as watch:
        path = scene.folder / JOURNAL
        path.write_text("".join(f"{line}\n" for line in edit(path.read_text().splitlines())))
        for read in (lambda: watch.records.read("1.2"), watch.records.failed, watch.records.write_table):
            with pytest.raises(DataError, match=r"watch\.jsonl: was changed by something else during the watch"):
                read()


def test_a_full_disk_under_the_journal_names_no_option_that_the_watch_lacks(scene, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    scene.studies = [study_of()]
    with scene.watch() as watch, pytest.raises(DataError, match=r"free some space, then start the watch again$"):
        monkeypatch.setattr(journal, "_write_line", fail)
        watch.records.keep("1.1", PREDICTED, "looks")


def test_a_journal_of_a_different_model_or_use_is_refused(scene):
    scene.studies = [study_of()]
    scene.run()
    with pytest.raises(DataError, match="results stored False, got True; give the same, or choose a different folder"):
        scene.run(store=True)


def test_a_second_watch_in_the_folder_is_refused(scene):
    with scene.watch(), pytest.raises(DataError, match="another run is writing here"):
        scene.run()
