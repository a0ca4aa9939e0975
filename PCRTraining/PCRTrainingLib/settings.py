"""The settings that a form offers, of everything that a configuration holds; no torch here, for the Slicer module.

A setting has a path: "dropout", "split.folds", or "*.epochs" for one of all steps.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from .config import SplitConfig, Step, TrainingConfig

OFFERED = (
    "seed",
    "split.folds",
    "*.epochs",
    "*.guidance",
    "*.guidance_weight",
    "*.swap",
    "dropout",
    "validation",
    "network",
    "pretraining",
)
_OF_THE_GATE = ("guidance", "guidance_weight", "swap")  # of the steps that have attention


def describe_setting(path: str) -> dict[str, Any]:
    """Return the description of a setting for a form.

    Returns:
        "title", "description" (from the docstring), "type" ("boolean", "integer", "number" or "choice"), "minimum" and
        "maximum", and "choices", of which "" stands for None.
    """
    owner, _, name = path.rpartition(".")
    cls = {"": TrainingConfig, "split": SplitConfig, "*": Step}[owner]
    found = TypeAdapter(cls).json_schema()["properties"][name]
    options = [option for option in found.get("anyOf", [found]) if option.get("type") != "null"]
    kind = options[0]
    return {
        "title": name.replace("_", " ").capitalize(),
        "description": found["description"],
        "type": "choice" if "enum" in kind else kind["type"],
        "minimum": kind.get("minimum", kind.get("exclusiveMinimum", 0)),
        "maximum": kind.get("maximum", kind.get("exclusiveMaximum", 9999)),
        "choices": ([""] if "anyOf" in found else []) + kind.get("enum", []),
    }


def read_setting(config: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401
    """Return the value of a setting in a configuration's JSON; of all steps that have it, that of the last one."""
    places = _places(config, path)
    return places[-1][path.rpartition(".")[2]] if places else None


def write_setting(config: dict[str, Any], path: str, value: object) -> None:
    """Change a setting in a configuration's JSON, in every step that has it."""
    if path == "*.epochs" and value != read_setting(config, path):
        config["updates"] = 0  # epochs that somebody has chosen stay
    for place in _places(config, path):
        place[path.rpartition(".")[2]] = value


def _places(config: Mapping[str, Any], path: str) -> list[Any]:
    owner, _, name = path.rpartition(".")
    if owner == "*":
        return [step for step in config["steps"] if step["attention"] or name not in _OF_THE_GATE]
    return [config[owner] if owner else config]
