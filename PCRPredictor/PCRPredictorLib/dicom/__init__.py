"""DICOM: exams read from it, and results written as it."""
