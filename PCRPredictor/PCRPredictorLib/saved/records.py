"""Frozen dataclasses as plain JSON values and back, each value checked against its annotation."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def to_plain(value: Any, skip: Collection[str] = ()) -> Any:  # noqa: ANN401  any value that JSON can hold
    """Return a value as dicts, lists, texts and numbers.

    Args:
        skip: names of fields of dataclasses that are left out.
    """
    if is_dataclass(value):
        kept = (field.name for field in fields(value) if field.name not in skip)
        return {name: to_plain(getattr(value, name), skip) for name in kept}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item, skip) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(item, skip) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def from_plain(hint: Any, value: Any, name: str = "", **given: object) -> Any:  # noqa: ANN401  as annotated
    """Return a value of the annotated type.

    Args:
        hint: annotation of dataclass, tuple, mapping, literal, number, text or None.
        value: that `to_plain` gave.
        name: of the value, for errors.
        given: fields of the dataclass that are not in the value.

    Raises:
        ValueError: if the value is anything else; the message names it.
    """
    if is_dataclass(hint):
        return _record(hint, value, name, given)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in parts:
            return None
        return from_plain(next(part for part in parts if part is not type(None)), value, name)
    if origin is typing.Literal:
        return value if value in parts else _refuse(name, f"one of {', '.join(map(str, parts))}", value)
    if origin is tuple:
        return _tuple(parts, value, name)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            _refuse(name, "an object", value)
        return {key: from_plain(parts[1], item, f"{name}.{key}") for key, item in value.items()}
    return _simple(hint, value, name)


def _record(hint: Any, value: Any, name: str, given: Mapping[str, object]) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        _refuse(name, "an object", value)
    hints, found = typing.get_type_hints(hint), dict(given)
    names = {field.name for field in fields(hint)}
    if unknown := value.keys() - names:
        raise ValueError(f"{name or 'it'} must not hold {', '.join(sorted(unknown))}")
    for key, item in value.items():
        found[key] = from_plain(hints[key], item, f"{name}.{key}" if name else key)
    try:
        return hint(**found)
    except TypeError as error:  # a field is missing
        raise ValueError(f"{name or 'it'} lacks a field: {error}") from None


def _tuple(parts: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(value, list):
        _refuse(name, "a list", value)
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(from_plain(parts[0], item, name) for item in value)
    if len(value) != len(parts):
        _refuse(name, f"{len(parts)} values", value)
    return tuple(from_plain(part, item, name) for part, item in zip(parts, value, strict=True))


def _simple(hint: Any, value: Any, name: str) -> Any:  # noqa: ANN401
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint in (object, typing.Any) or type(value) is hint:
        return value
    return _refuse(name, getattr(hint, "__name__", str(hint)), value)


def _refuse(name: str, wanted: str, value: object) -> typing.NoReturn:
    raise ValueError(f"{name or 'it'} must be {wanted}, got {str(value)[:40]!r}")
