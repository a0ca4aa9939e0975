"""Hostile `cohort.json`: `KINDS` is a name and the text of the file."""

import json

IMAGES = [f"images/{{patient_id}}/{{patient_id}}_000{k}.nii.gz" for k in range(3)]
MASK = "segmentations/expert/{patient_id}.nii.gz"


def mapping(**parts):
    return json.dumps({"phases": IMAGES, "mask": [MASK], **parts})


def names(pattern):
    """Return a mapping whose first phase has this pattern."""
    return mapping(phases=[pattern, *IMAGES[1:]])


KINDS = {
    "a width of 20,000,000,000": names("images/{patient_id:>20000000000}.nii.gz"),
    "a width of 99 zeros": names("images/{patient_id:099}.nii.gz"),
    "an attribute": names("images/{patient_id.__class__}.nii.gz"),
    "an index": names("images/{patient_id[0]}.nii.gz"),
    "a conversion": names("images/{patient_id!r}.nii.gz"),
    "a position": names("images/{0}.nii.gz"),
    "braces inside braces": names("images/{patient_id:{patient_id}}.nii.gz"),
    "NUL": names("images/{patient_id}\0.nii.gz"),
    "an escape sequence": names("images/\x1b[2J{patient_id}.nii.gz"),
    "200,000 brackets in a pattern": names("{" * 200_000),
    "200,000 brackets": "[" * 200_000,
    "100,000 stars": names("*" * 100_000 + "{patient_id}"),
    "stars that match in many ways": names("images/{patient_id}/" + "*a" * 30 + "*b.nii.gz"),
    "the patient 2,000 times": names("images/" + "{patient_id}" * 2000 + ".nii.gz"),
    "out of the folder": names("../../{patient_id}.nii.gz"),
    "an absolute path": names("/etc/{patient_id}"),
    "NaN as label": '{"label": NaN}',
    "a label of 10^400": '{"label": 1' + "0" * 400 + "}",
    "a name of a megabyte": mapping(table="a" * 1_000_000),
    "20,000 columns": mapping(columns={str(n): "a" for n in range(20_000)}),
    "a value with 20,000 meanings": mapping(values={"pcr": {str(n): "1" for n in range(20_000)}}),
    "everything twice": '{"table": "a", "table": "b"}',
    "deep objects": '{"values": ' * 2000 + "1" + "}" * 2000,
    "a list": "[1, 2]",
    "no JSON": "{phases: [}",
    "bytes that are no text": b"\xff\xfe{}\xff",
    "surrogates": '{"table": "\\ud800"}',
    "nothing": "",
}
