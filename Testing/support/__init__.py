"""Helpers that several tests share: tiny exams, cohorts, DICOM files, panels, pages and browsers."""
