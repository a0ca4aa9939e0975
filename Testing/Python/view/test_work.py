"""What takes time on a page: one thing after the other, and a sentence where it fails."""

import asyncio
from types import SimpleNamespace

import pytest
from PCRPredictorLib.errors import DataError

trame_server = pytest.importorskip("trame_server")


async def run(function):
    """The result of `Work.run`, and the state of the page after it."""
    from PCRPredictorView.work import Work

    work = Work(trame_server.Server(client_type="vue3"))
    return await work.run("Working", function), work.state.data.problem, work.is_busy


def fail(error):
    raise error


async def test_a_result_comes_back():
    assert await run(lambda: 3) == (3, "", False)


async def test_what_is_wrong_with_the_data_is_said():
    assert await run(lambda: fail(DataError("give another file"))) == (None, "give another file", False)


async def test_an_exam_that_is_too_large_is_said():
    result, problem, busy = await run(lambda: fail(MemoryError()))
    assert result is None
    assert "takes more memory" in problem
    assert not busy


async def test_what_nobody_foresaw_is_logged_and_said(caplog):
    result, problem, busy = await run(lambda: fail(ValueError("a secret path")))
    assert result is None
    assert problem == "this went wrong here; load the page again"
    assert not busy
    assert "working has failed" in caplog.text


async def test_what_goes_wrong_in_work_that_nobody_waits_for_is_said(caplog):
    from PCRPredictorView.work import WENT_WRONG, Work

    async def fails():
        fail(ValueError())

    work = Work(trame_server.Server(client_type="vue3"))
    work.begin(fails())
    await asyncio.wait(work._begun)
    assert work.state.data.problem == WENT_WRONG
    assert "work could not be done" in caplog.text


async def test_a_new_action_forgets_what_was_wrong_before():
    from PCRPredictorView.work import Work

    work = Work(trame_server.Server(client_type="vue3"))
    work.complain("give another file")
    work.forget_problem()
    assert work.state.data.problem == ""


@pytest.mark.parametrize(("connections", "said"), [({"here": None}, 1), ({}, 0)])
async def test_browser_that_has_left_gets_no_answer_and_nothing_is_logged(connections, said):
    from PCRPredictorView.serving.process import EXCEPTION_ERROR, _send_error

    sent, wondered = [], []

    async def send(*answer, **_client):
        sent.append(answer)

    page = SimpleNamespace(work=SimpleNamespace(wonder=wondered.append))
    await _send_error(send, connections, page, "rpc", EXCEPTION_ERROR, "failed", {"trace": "..."}, "here")
    assert (len(sent), len(wondered)) == (said, said)
    assert "..." not in repr(sent)
