"""Known attacks on every format: each ends in a sentence, bounded, with nothing left behind."""

import sys

import pytest

if sys.platform != "linux":
    pytest.skip("readers are tried in forked children with limits of Linux", allow_module_level=True)

from fuzz.attacks import PAGE, attacks_of, describe
from fuzz.formats import FORMATS
from fuzz.sandbox import load_program
from fuzz.trial import try_input, try_seed


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    """Intact inputs of each format, made when they are first needed."""
    load_program()
    made = {}

    def make(kind):
        if kind.name not in made:
            made[kind.name] = tmp_path_factory.mktemp(kind.name)
            kind.make(made[kind.name])
        return made[kind.name]

    return make


@pytest.mark.parametrize("name", FORMATS)
def test_intact_inputs_are_read(name, intact, tmp_path):
    kind = FORMATS[name]
    for face, read in kind.faces.items():
        trial = try_input(kind, intact(kind), lambda _: None, read, tmp_path / "work")
        assert (trial.finding, trial.ending.code) == ("", 0), f"{face}: {trial.ending.err}"


@pytest.mark.parametrize(
    ("name", "attack"), [(kind.name, attack) for kind in FORMATS.values() for attack in kind.attacks]
)
def test_attack_ends_in_a_sentence(name, attack, intact, tmp_path):
    kind = FORMATS[name]

    def spoil(folder):
        kind.attacks[attack](folder)
        kind.seal(folder)

    for face, read in kind.faces.items():
        trial = try_input(kind, intact(kind), spoil, read, tmp_path / "work")
        assert not trial.finding, f"{face}: {trial.finding}"


@pytest.mark.parametrize("name", FORMATS)
def test_random_input_is_the_same_for_the_same_seed(name, intact, tmp_path):
    found = []
    for work in (tmp_path / "one", tmp_path / "two"):
        try_seed(FORMATS[name], intact(FORMATS[name]), 7, work)
        found.append({f.relative_to(work): f.read_bytes() for f in (work / "in").rglob("*") if f.is_file()})
    assert found[0] == found[1]


def test_page_lists_every_attack():
    assert sum(len(attacks_of(kind)) for kind in FORMATS.values()) >= 80
    assert PAGE.read_text(encoding="utf-8") == describe(FORMATS.values()), "run: cd Testing && python -m fuzz --page"
