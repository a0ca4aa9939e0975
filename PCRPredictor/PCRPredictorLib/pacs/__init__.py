"""Exams of a PACS over DICOMweb: find, fetch, predict, store. Nothing is sent unless it is asked for."""
