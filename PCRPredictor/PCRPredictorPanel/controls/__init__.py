"""The parts of the panel, from exam to result."""
