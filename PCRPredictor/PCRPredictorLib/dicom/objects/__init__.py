"""Results as DICOM objects for a PACS."""
