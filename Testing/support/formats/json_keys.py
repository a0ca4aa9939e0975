"""The keys of a JSON content with the types of their values, as lines that can be compared."""

import json
from pathlib import Path

KEPT = Path(__file__).with_name("json_keys.json")
DATA = (  # mappings whose keys are data: names of variables, visits, libraries, patients that an AUC is of
    ".changes", ".clinical", ".model.auc", ".shares", ".percentiles", ".versions",
)  # fmt: skip
_TYPES = {bool: "flag", int: "number", float: "number", str: "text", type(None): "null"}


def keys_of(content):
    """Return a sorted list of lines such as `lesions[].attention.peak[]: number`."""
    return sorted(set(_lines(content, "")))


def _lines(value, path):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _lines(each, f"{path}.<name>" if path.endswith(DATA) else f"{path}.{key}")
        if not value:
            yield f"{path.removeprefix('.')}: mapping"
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _lines(each, f"{path}[]")
        if not value:
            yield f"{path.removeprefix('.')}: list"
    else:
        yield f"{path.removeprefix('.')}: {_TYPES[type(value)]}"


def kept():
    """Return format and lines of each file by its name, as they were when its format got its number."""
    return json.loads(KEPT.read_text(encoding="utf-8"))


def keep(name, content):
    """Note the lines of a content, for `python -m pytest` with BREASTPCR_KEEP_KEYS=1."""
    everything = kept() if KEPT.is_file() else {}
    everything[name] = {"format": content["format"], "keys": keys_of(content)}
    KEPT.write_text(json.dumps(dict(sorted(everything.items())), indent=0) + "\n", encoding="utf-8")
