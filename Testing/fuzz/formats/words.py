"""What is typed or given as JSON: clinical values, mappings of tables, configurations and cards of training, visits."""

import contextlib
import io
import json
from pathlib import Path
from random import Random

from ..format import Attack, Face, Format, library, pcr
from ..mutate import TEXTS
from .bundles import write_visits

_DEEP = "[" * 200_000
_NUL = "a\0b"


def _make_values(folder: Path) -> None:
    from support.models.tiny import write_tiny_bundle

    write_tiny_bundle(folder / "bundle")
    (folder / "values.json").write_text('{"age": 50, "hr": "positive"}', encoding="utf-8")
    (folder / "values.csv").write_text("age,hr\n50,positive\n", encoding="utf-8")
    (folder / "words.txt").write_text("age=50\nhr=positive\n", encoding="utf-8")


def _read_values(name: str) -> Face:
    """Return the reading of clinical values as every command does it, from a file or from words."""

    def read(inputs: Path, out: Path) -> None:
        from PCRPredictorLib.model.bundle import load_bundle
        from PCRPredictorLib.reading.clinical import read_clinical_words

        schema = load_bundle(inputs / "bundle").schema
        text = (inputs / name).read_text(encoding="utf-8", errors="surrogateescape")
        words = text.splitlines() if name == "words.txt" else [str(inputs / name)]
        schema.encode(schema.parse(read_clinical_words(words, schema)))

    return library(read)


def _write(name: str, text: str) -> Attack:
    return lambda folder: (folder / name).write_text(text, encoding="utf-8") and None


def _everywhere(text: str) -> Attack:
    """Return the attack that gives a text as age, in a file or typed."""

    def attack(folder: Path) -> None:
        (folder / "values.json").write_text(json.dumps({"age": text}), encoding="utf-8")
        (folder / "values.csv").write_text(f'age,hr\n"{text}",1\n', encoding="utf-8", newline="")
        (folder / "words.txt").write_text(f"age={text}\n", encoding="utf-8", newline="")

    return attack


VALUES_ATTACKS: dict[str, Attack] = {
    "200,000 brackets": _write("values.json", _DEEP),
    "nan": _everywhere("nan"),
    "NaN in JSON": _write("values.json", '{"age": NaN}'),
    "a number of 5000 digits": _everywhere("9" * 5000),
    "a number of 400 digits in JSON": _write("values.json", '{"age": ' + "9" * 400 + "}"),
    "escape sequences": _everywhere("\x1b[2J\x1b]0;x\x07"),
    "markup": _everywhere("[/red][link=file:///x]50[/link]"),
    "text that turns": _everywhere("05\u202e"),
    "a formula": _everywhere("=1+1"),
    "digits of another script": _everywhere("５０"),
    "an infinite number": _everywhere("1e999"),
    "a number with an underscore": _everywhere("5_0"),
    "a name of a million letters": _write("values.json", json.dumps({"a" * 10**6: 1})),
    "a list for a value": _write("values.json", '{"age": [[[[50]]]]}'),
    "no equals sign": _write("words.txt", "age\n"),
    "only an equals sign": _write("words.txt", "=\n==\n"),
    "a name twice": _write("words.txt", "age=50\nAGE=60\n"),
    "a table of two patients": _write("values.csv", "age,hr\n50,1\n60,0\n"),
    "a table with NUL": lambda folder: (folder / "values.csv").write_bytes(b"age,hr\n5\x000,1\n") and None,
}


def _make_mapping(folder: Path) -> None:
    from PCRTrainingLib.command_line import app, run
    from support.follow_up.response_model import write_tiny_response

    write_tiny_response(folder / "bundle")
    write_visits(folder / "visits.csv")
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(app, ["init", str(folder / "visits.csv")]) == 0


MAPPING_ATTACKS: dict[str, Attack] = {
    "200,000 brackets": _write("visits.json", _DEEP),
    "empty": _write("visits.json", ""),
    "a list": _write("visits.json", "[]"),
    "NaN": _write("visits.json", '{"columns": NaN}'),
    "columns of numbers": _write("visits.json", '{"columns": {"patient_id": 5}}'),
    "columns of lists": _write("visits.json", '{"columns": [["patient_id"]]}'),
    "markup and escape sequences": _write("visits.json", '{"[/red]\\u001b[2J\\u202e": {"<script>": "=1+1"}}'),
    "a column that is not there": _write("visits.json", '{"columns": {"patient_id": "[/bold]\\u001b[31m"}}'),
    "a number of 5000 digits": _write("visits.json", '{"format": ' + "1" * 5000 + "}"),
    "a name of a million letters": _write("visits.json", json.dumps({"a" * 10**6: 1})),
}


def _make_config(folder: Path) -> None:
    from support.card_and_schema import CARD

    (folder / "config.json").write_text(
        '{"grid": {"size": 32, "slices": 4}, "steps": [{"name": "global", "epochs": 2}], "widths": [4, 6, 8]}',
        encoding="utf-8",
    )
    (folder / "card.json").write_text(json.dumps({"name": CARD.name, "licence": "none"}), encoding="utf-8")


def _read_config(inputs: Path, out: Path) -> None:
    from PCRTrainingLib.config import read_config
    from PCRTrainingLib.evaluation.card import read_texts

    read_texts(inputs / "card.json")
    read_config(inputs / "config.json")


CONFIG_ATTACKS: dict[str, Attack] = {
    "configuration of 200,000 brackets": _write("config.json", _DEEP),
    "configuration with NaN": _write("config.json", '{"rate": NaN}'),
    "a million folds": _write("config.json", '{"split": {"kind": "folds", "folds": 1000000000}}'),
    "a rate of 400 digits": _write("config.json", '{"rate": ' + "1" * 400 + "}"),
    "markup in a name": _write("config.json", '{"[/red]\\u001b[2J": 1}'),
    "card of 200,000 brackets": _write("card.json", _DEEP),
    "card of numbers": _write("card.json", '{"name": 10e400}'),
    "card with markup in a name": _write("card.json", '{"[/red]\\u001b[2J": "x"}'),
    "card with NUL": _write("card.json", json.dumps({"name": _NUL})),
}
VISITS_ATTACKS: dict[str, Attack] = {
    "a formula as an identifier": _write(
        "visits.csv",
        'patient_id,longest_diameter_mm_T0,longest_diameter_mm_T1\n"=HYPERLINK(""http://x"")",40,20\nB,30,20\n',
    ),
    "identifiers that a spreadsheet computes": _write(
        "visits.csv",
        "patient_id,longest_diameter_mm_T0,longest_diameter_mm_T1\n@A,40,20\n+B,30,20\n-C,30,20\n'-D,9,9\n",
    ),
    "markup in a column": _write(
        "visits.csv", "patient_id,[/red][link=file:///x]y[/link],longest_diameter_mm_T0\nA,1,40\nB,2,30\n"
    ),
    "escape sequences in a cell": _write("visits.csv", "patient_id,longest_diameter_mm_T0\nA\x1b[2J,\x1b[31m40\nB,3\n"),
    "text that turns in an identifier": _write("visits.csv", "patient_id,longest_diameter_mm_T0\nA\u202e,40\nB,30\n"),
    "a script in an identifier": _write(
        "visits.csv", "patient_id,longest_diameter_mm_T0\n<script>alert(1)</script>,40\nB,30\n"
    ),
    "numbers of 400 digits": _write("visits.csv", "patient_id,longest_diameter_mm_T0\nA," + "9" * 400 + "\nB,30\n"),
    "nan and infinity": _write("visits.csv", "patient_id,longest_diameter_mm_T0\nA,nan\nB,inf\nC,-inf\nD,1e999\n"),
    "a cell of a million letters": _write(
        "visits.csv", "patient_id,longest_diameter_mm_T0\nA," + "x" * 10**6 + "\nB,3\n"
    ),
    "20,000 columns": _write("visits.csv", "patient_id," + ",".join(f"c{k}" for k in range(20_000)) + "\nA,1\nB,2\n"),
    "a quote that never ends": _write("visits.csv", 'patient_id,longest_diameter_mm_T0\n"A,40\nB,30\n'),
    "only a header": _write("visits.csv", "patient_id,longest_diameter_mm_T0\n"),
    "nothing": _write("visits.csv", ""),
    "a patient 1,000 times": _write("visits.csv", "patient_id,longest_diameter_mm_T0\n" + "A,40\n" * 1000),
    "a column twice": _write(
        "visits.csv", "patient_id,longest_diameter_mm_T0,longest_diameter_mm_T0\nA,40,50\nB,1,2\n"
    ),
}


def _mutate_words(rng: Random, path: Path) -> None:
    """Change the typed words, or a file by its kind."""
    from ..mutate import mutate_file

    if path.suffix != ".txt":
        mutate_file(rng, path)
        return
    words = path.read_text(encoding="utf-8").splitlines()
    words[rng.randrange(len(words))] = rng.choice(("age=", "hr=", "", "AGE =")) + rng.choice(TEXTS)
    path.write_text("\n".join(words), encoding="utf-8", errors="surrogatepass")


def _make_visits(folder: Path) -> None:
    from support.follow_up.response_model import write_tiny_response

    write_tiny_response(folder / "bundle")
    write_visits(folder / "visits.csv")


def _follow(*more: str) -> Face:
    def words(inputs: Path, out: Path) -> list[object]:
        given = [str(inputs / word) if word.endswith(".json") else word for word in more]
        return ["follow", "--table", inputs / "visits.csv", *given, "--model", inputs / "bundle", "--out", out]

    return pcr(words)


FORMATS = (
    Format(
        "values",
        _make_values,
        faces={name: _read_values(name) for name in ("values.json", "values.csv", "words.txt")},
        attacks=VALUES_ATTACKS,
        targets=("values.*", "words.txt"),
        mutate=_mutate_words,
    ),
    Format(
        "mapping",
        _make_mapping,
        faces={"follow": _follow("--mapping", "visits.json")},
        attacks=MAPPING_ATTACKS,
        targets=("visits.json",),
    ),
    Format("config", _make_config, faces={"train": library(_read_config)}, attacks=CONFIG_ATTACKS, targets=("*.json",)),
    Format(
        "visits",
        _make_visits,
        faces={"follow": _follow(), "init": pcr(lambda inputs, out: ["init", inputs / "visits.csv"])},
        attacks=VISITS_ATTACKS,
        targets=("visits.csv",),
        beside=("visits.json",),
    ),
)
