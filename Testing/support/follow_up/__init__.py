"""Patients with several visits, for tests."""
