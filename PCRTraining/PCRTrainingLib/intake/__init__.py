"""Folders as people keep them, described for training or turned into a cohort."""
