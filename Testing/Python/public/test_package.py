"""`import breastpcr`: light, typed, and the names that it promises."""

import inspect
import pkgutil
import subprocess
import sys
import typing

import breastpcr
import pytest


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_loads_the_standard_library_only():
    code = "import sys; before = set(sys.modules); import breastpcr; print(*(set(sys.modules) - before))"
    assert {name.partition(".")[0] for name in run_python(code).split()} - {*sys.stdlib_module_names} == {"breastpcr"}


def test_every_promised_name_is_there_and_no_other():
    assert sorted(breastpcr.__all__) == dir(breastpcr) == sorted(breastpcr._PLACES)
    for name in breastpcr.__all__:
        assert getattr(breastpcr, name) is not None, name
    with pytest.raises(AttributeError, match="no attribute 'forecast'"):
        breastpcr.forecast  # noqa: B018


def test_no_name_is_hidden_by_a_module_that_is_imported_later():
    modules = {each.name for each in pkgutil.iter_modules(breastpcr.__path__)}
    assert not modules & set(breastpcr.__all__)
    code = f"import breastpcr; [__import__('breastpcr.' + name) for name in {sorted(modules)}]; "
    code += "print(*(name for name in breastpcr.__all__ if type(getattr(breastpcr, name)) is type(breastpcr)))"
    assert run_python(code) == ""


FUNCTIONS = [name for name in breastpcr.__all__ if inspect.isfunction(getattr(breastpcr, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_types_and_a_documentation(name):
    function = getattr(breastpcr, name)
    hints = typing.get_type_hints(inspect.unwrap(function))
    assert set(inspect.signature(function).parameters) | {"return"} == set(hints)
    text = inspect.getdoc(function)
    assert text.partition("\n")[0].endswith(".")
    assert all(f"{parameter}" in text for parameter in inspect.signature(function).parameters)
