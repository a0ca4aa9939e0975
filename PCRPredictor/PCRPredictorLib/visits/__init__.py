"""Several exams of one patient: read from files, DICOM with several studies, tables, and measured as a course."""
