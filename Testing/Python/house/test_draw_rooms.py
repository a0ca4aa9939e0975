"""The picture of the rooms is the one that the imports give."""

import xml.etree.ElementTree as ElementTree

from house.draw_rooms import PICTURE, draw, layers_of
from house.room_graph import room_imports, rooms


def test_picture_matches_the_imports():
    assert PICTURE.read_text(encoding="utf-8") == draw(), "the imports have changed: run make rooms, and look at it"


def test_picture_names_every_file():
    texts = {element.text for element in ElementTree.fromstring(draw()).iter("{http://www.w3.org/2000/svg}text")}
    words = {word.strip(",") for text in texts for word in text.split()}
    assert {file for files in rooms().values() for file in files} <= words


def test_every_room_stands_above_the_rooms_that_it_imports():
    below = room_imports()
    layer = layers_of(below)
    assert all(layer[room] > layer[other] for room in below for other in below[room])
