"""Slicer without its desktop, for tests, screenshots and benchmarks of the modules; see `session`."""
