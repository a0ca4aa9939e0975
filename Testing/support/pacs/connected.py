"""Connections to a PACS that do not wait, and note what they say."""

import json
from dataclasses import dataclass, field

from PCRPredictorLib.pacs.configuration import read_configuration
from PCRPredictorLib.pacs.connection import Connection, connect


@dataclass
class Noted:
    """A connection, what it said and how long it would have waited, in seconds."""

    connection: Connection
    said: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)


def write_configuration(folder, **content):
    """Write a configuration file and return its path."""
    path = folder / "pacs.json"
    path.write_text(json.dumps(content))
    return path


def connected(folder, url, **content):
    """Return a connection to an address, with its notes."""
    said, waited = [], []
    configuration = read_configuration(write_configuration(folder, url=url, **content))
    return Noted(connect(configuration, said.append, waited.append), said, waited)
