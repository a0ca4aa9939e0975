"""A real PACS for tests, and its faults."""
