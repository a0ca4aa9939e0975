"""Long work of a page: one thing after the other, and a sentence if it fails."""

import asyncio
import threading

import pytest
from PCRPredictorLib.errors import DataError


async def answers(work, function):
    """What a function gave, and with what it failed."""
    done, failed = [], []
    work.start(function, done.append, failed.append)
    await asyncio.gather(*work._tasks)
    return done, failed


def fail(error):
    raise error


async def test_a_result_comes_back_on_the_page_s_own_thread(work):
    threads = []
    work.start(threading.get_ident, lambda ident: threads.extend([ident, threading.get_ident()]), fail)
    await asyncio.gather(*work._tasks)
    assert threads[0] != threads[1] == threading.get_ident()


@pytest.mark.parametrize("error", [DataError("give a different file"), MemoryError()])
async def test_an_error_that_a_person_can_read_comes_back_as_it_is(work, error):
    assert await answers(work, lambda: fail(error)) == ([], [error])


async def test_an_unexpected_error_is_logged_and_says_what_to_do(work, caplog):
    done, failed = await answers(work, lambda: fail(ValueError("a secret path")))
    assert done == []
    assert [str(error) for error in failed] == ["this went wrong here; load the page again"]
    assert "work has failed" in caplog.text


async def test_an_unexpected_error_in_an_answer_is_logged_and_reported(work, caplog):
    work.start(lambda: 3, lambda _three: fail(ValueError()), fail)
    await asyncio.gather(*work._tasks)
    assert work.problems == ["this went wrong here; load the page again"]
    assert "a change of the page has failed" in caplog.text


async def test_an_unexpected_error_in_a_change_of_the_page_is_logged_and_reported(work, caplog):
    work._guard(lambda _value: fail(ValueError()), 3)
    assert work.problems == ["this went wrong here; load the page again"]
    assert "a change of the page has failed" in caplog.text
