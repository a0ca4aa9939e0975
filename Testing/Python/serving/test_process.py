"""The process of a page: invalid messages and browsers that have left."""

import gc
from types import SimpleNamespace

import pytest

pytest.importorskip("trame_server")
pytest.importorskip("slicer_layer_dm")


async def test_an_invalid_message_ends_nothing():
    from PCRPredictorView.serving.process import _pass_to_trame

    class Connection:
        async def send(self, _is_binary, _message):
            raise ValueError("invalid")

    await _pass_to_trame(Connection(), b"\0")


@pytest.mark.parametrize(("connections", "count"), [({"here": None}, 1), ({}, 0)])
async def test_a_browser_that_has_left_gets_no_answer_and_nothing_is_logged(connections, count):
    from PCRPredictorView.serving.process import EXCEPTION_ERROR, _send_error

    sent, reported = [], []

    async def send(*answer, **_client):
        sent.append(answer)

    page = SimpleNamespace(work=SimpleNamespace(report_unexpected=reported.append))
    await _send_error(send, connections, page, "rpc", EXCEPTION_ERROR, "failed", {"trace": "..."}, "here")
    assert (len(sent), len(reported)) == (count, count)
    assert "..." not in repr(sent)


def test_what_pages_share_is_left_alone_by_their_search_for_garbage():
    import PCRPredictorView.serving.process  # noqa: F401

    assert gc.get_freeze_count() > 100_000  # else each page would get a copy of 76 MB of its own
