"""A session beside a real PACS with one study."""

import json

import pytest
from support.pacs.studies import make_studies
from support.session.desk import Desk


@pytest.fixture
def study(orthanc):
    """The PACS holds this study."""
    (made,) = make_studies()
    for content in made.files:
        orthanc.upload_bytes(content)
    return made


@pytest.fixture
def file(orthanc, tmp_path):
    """The configuration of the PACS."""
    path = tmp_path / "pacs.json"
    path.write_text(json.dumps({"url": orthanc.url, "token": "secret-token", "retries": 0}))
    return path


@pytest.fixture
def desk():
    return Desk()
