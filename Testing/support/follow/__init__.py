"""A patient's visits as examples."""
