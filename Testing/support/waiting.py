"""Waiting for a condition in place of sleeping."""

import time


def wait_until(condition, seconds=60.0):
    """Return the value of a condition as soon as it is true; in async tests call this through `asyncio.to_thread`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"nothing happened within {seconds} s"
        time.sleep(0.01)
    return found
