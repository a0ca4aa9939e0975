"""Widgets and workers that both panels share."""
