"""What a browser shows in the first seconds."""

from PCRPredictorView.serving.server import _PAGES, static_files
from PCRPredictorView.serving.waiting import with_loader
from support.page_server import running


async def test_while_the_first_page_begins_the_browser_is_answered_at_once_and_asks_again():
    async with running() as (server, client, processes):
        server.app[_PAGES].is_preparing = True
        async with client.get(server.make_url("/")) as answer:
            text = await answer.text()
            assert answer.status == 200
        assert "Starting: this machine loads" in text
        assert 'http-equiv="refresh"' in text
        assert not processes
        server.app[_PAGES].is_preparing = False
        async with client.get(server.make_url("/")) as answer:
            assert "/page/" in str(answer.url)


def test_before_the_client_has_loaded_the_page_is_dark_and_says_what_is_done():
    index = with_loader(static_files()["index.html"].read_text())
    assert "loading.tpl" not in index
    assert '<div id="app"><div id="waiting">' in index
    assert "color-scheme: dark" in index
