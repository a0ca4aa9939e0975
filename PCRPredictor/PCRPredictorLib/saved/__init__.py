"""A result as text that a scene keeps: written and read without loss, checked when it is read."""
