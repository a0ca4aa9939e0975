"""A whole cohort or an archive: each patient is predicted in a task of its own, and its row kept at once."""
