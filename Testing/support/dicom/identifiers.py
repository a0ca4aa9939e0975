"""A source whose headers name everybody: a marker of its own in every attribute of people, places and texts."""

import gzip
import re
import zipfile
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.tag import Tag

# The groups of the Basic Application Level Confidentiality Profile (PS3.15 E.1-1) that an MR image can have.
_GROUPS = {0x0008, 0x0010, 0x0012, 0x0014, 0x0016, 0x0018, 0x0020, 0x0028, 0x0032, 0x0034, 0x0038, 0x003A, 0x0040,
           0x0042, 0x0044, 0x0088, 0x0400, 0x2100, 0x2200, 0x3008, 0x300A, 0x4000, 0x4008, 0x4010}  # fmt: skip
_TEXTS = {"PN", "LO", "SH", "LT", "ST", "UT", "UC", "UR", "AE"}
_DATES = {"DA", "DT"}
# What a reader must understand to find the phases, and what says how text is written.
_NEEDED = {"Manufacturer", "AcquisitionDateTime", "ContrastBolusAgent"}
_NESTED = ("OtherPatientIDsSequence", "ReferencedStudySequence", "RequestAttributesSequence",
           "PerformingPhysicianIdentificationSequence", "OriginalAttributesSequence")  # fmt: skip


def identifying_attributes() -> list[str]:
    """Return the keywords of all attributes of one value of these groups with text or a date, sorted."""
    return sorted(
        keyword
        for tag, (vr, vm, _, _, keyword) in DicomDictionary.items()
        if tag >> 16 in _GROUPS and keyword and vm.startswith("1") and keyword not in _NEEDED
        and (vr in _TEXTS or vr in _DATES)
    )  # fmt: skip


def mark(data: pydicom.Dataset) -> dict[str, str]:
    """Put a marker into each of these attributes, into nested ones and private ones; return them by keyword."""
    found = {}
    for number, keyword in enumerate(identifying_attributes()):
        if DicomDictionary[Tag(keyword)][0] in _DATES:
            found[keyword] = f"{1901 + number // 336}{1 + number // 28 % 12:02d}{1 + number % 28:02d}"
        else:
            found[keyword] = f"QX{number:04d}XQ"
        setattr(data, keyword, found[keyword])
    data.private_block(0x0013, "QXPRIVXQ", create=True).add_new(1, "LO", "QXPRVVXQ")
    nested = pydicom.Dataset()
    nested.PatientName = nested.PatientID = nested.PersonName = nested.InstitutionName = "QXNESTXQ"
    for name in _NESTED:
        setattr(data, name, [nested])
    return {**found, "private creator": "QXPRIVXQ", "private": "QXPRVVXQ", "nested": "QXNESTXQ"}


def deidentify(data: pydicom.Dataset, markers: dict[str, str], replaced: str) -> None:
    """Delete all that `mark` wrote, replace name and ID, and say so, as the Basic Profile asks."""
    data.remove_private_tags()
    for keyword in [*(keyword for keyword in markers if keyword in data), *_NESTED]:
        delattr(data, keyword)
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113100", "DCM", "Basic Profile"
    data.PatientID = data.PatientName = replaced
    data.PatientIdentityRemoved, data.DeidentificationMethod = "YES", "Basic Profile"
    data.DeidentificationMethodCodeSequence = [code]


def markers_in(folder: Path, markers: dict[str, str]) -> dict[str, set[str]]:
    """Map each file of a folder to the attributes whose markers are in its name or anywhere in its content."""
    found = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.name.encode() + b"".join(_contents(file.read_bytes()))
        seen = {k for k, marker in markers.items() if any(form in content for form in _forms(marker))}
        if seen:
            found[str(file.relative_to(folder))] = seen
    return found


def _forms(marker: str) -> list[bytes]:
    dashed = f"{marker[:4]}-{marker[4:6]}-{marker[6:]}" if marker.isdigit() else marker
    return [form.encode(code) for form in {marker, dashed} for code in ("utf-8", "utf-16-le")]


def _contents(data: bytes) -> list[bytes]:
    """Return data, and what is packed in it: gzip, zip, and pictures in base64."""
    found = [data]
    if data.startswith(b"\x1f\x8b"):
        found += _contents(gzip.decompress(data))
    elif data.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for name in archive.namelist():
                found += [name.encode(), *_contents(archive.read(name))]
    found += [b64decode(part) for part in re.findall(rb"base64,([A-Za-z0-9+/=]{100,})", data)]
    return found
