"""Sessions without a widget."""

import pytest
from support.session.desk import Desk


@pytest.fixture
def desk():
    """A session with a tiny exam."""
    return Desk()


@pytest.fixture
def new_desk():
    """Make a desk, see there."""
    return Desk
