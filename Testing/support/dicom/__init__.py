"""Folders of DICOM for tests."""
