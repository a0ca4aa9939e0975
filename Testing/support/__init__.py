"""What tests of several rooms share: tiny exams, cohorts, DICOM files, panels, pages and browsers."""
