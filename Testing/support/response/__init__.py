"""Patients at several visits, as tables."""
