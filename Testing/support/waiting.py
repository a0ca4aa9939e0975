"""Waiting for something to happen, in place of sleeping for as long as it may take."""

import time


def wait_until(condition, seconds=60.0):
    """Return what a condition gives as soon as it is true; in async tests call it through `asyncio.to_thread`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"nothing happened within {seconds} s"
        time.sleep(0.01)
    return found
