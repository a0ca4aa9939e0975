"""Marks in the views that are no part of an exam: a place that may be the tumour."""
