"""Slicer's DICOM database, in place of the one that the tests' Slicer lacks."""

import pydicom


class Database:
    """Slicer's DICOM database with the files of a folder."""

    isOpen = True

    def __init__(self, folder):
        self._files = {pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID: file for file in folder.iterdir()}

    def fileForInstance(self, uid):
        return str(self._files.get(uid, ""))

    def instanceValue(self, uid, tag):
        element = pydicom.dcmread(self._files[uid]).get(tuple(int(part, 16) for part in tag.split(",")))
        return "" if element is None else str(element.value)
