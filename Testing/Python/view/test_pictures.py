"""The pictures that a view sends after an exam was opened."""

import asyncio
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("trame_server")
pytest.importorskip("slicer_layer_dm")


class View:
    """A view with the observer of its render window."""

    def __init__(self, name):
        self.name = name

    def get_singleton_tag(self):
        return self.name

    def render_window(self):
        return SimpleNamespace(AddObserver=lambda _event, drawn: setattr(self, "draw", drawn))


def test_all_views_must_send_what_was_drawn_after_an_exam_was_opened(server):
    from PCRPredictorView.viewing.pictures import Pictures

    async def send():
        fresh, sent, area = [], [], SimpleNamespace(set_streamer=lambda streamer: setattr(area, "streamer", streamer))
        pictures = Pictures(server, lambda: fresh.append(len(sent)))
        area.streamer = SimpleNamespace(push_content=lambda *values: sent.append(values))
        server.controller.rc_area_register(area)
        views = {name: View(name) for name in ("red", "green")}
        for view in views.values():
            pictures.attach(view)
        pictures.wait_for(views)
        before, later = int(1000 * time.time()) - 50, int(1000 * time.time()) + 50
        area.streamer.push_content("red", {"st": later}, b"not drawn since")
        for name, view in views.items():
            view.draw()
            area.streamer.push_content(name, {"st": before}, b"still being compressed")
        area.streamer.push_content("red", {"st": later}, b"new")
        await asyncio.sleep(0.2)
        assert not fresh
        area.streamer.push_content("green", {"st": later}, b"new")
        await asyncio.sleep(0.3)
        assert fresh == [len(sent)] == [5]

    asyncio.run(send())


def test_a_view_that_sends_nothing_is_not_waited_for_without_end(server, monkeypatch):
    from PCRPredictorView.viewing import pictures

    monkeypatch.setattr(pictures, "_LONGEST_S", 0.05)

    async def wait():
        fresh = []
        found = pictures.Pictures(server, lambda: fresh.append(True))
        found.attach(View("red"))
        found.wait_for(["red"])
        assert not fresh
        await asyncio.sleep(0.2)
        assert fresh == [True]

    asyncio.run(wait())


def test_views_that_another_arrangement_hides_are_not_waited_for(server):
    from PCRPredictorView.viewing.pictures import Pictures

    async def wait():
        fresh = []
        pictures = Pictures(server, lambda: fresh.append(True))
        pictures.attach(View("red"))
        pictures.wait_for(["red"])
        pictures.wait_for([])
        assert fresh == [True]

    asyncio.run(wait())
