"""Clinical variables of one patient, from files and from a command's words."""

from collections.abc import Sequence
from pathlib import Path

from ..clinical import ClinicalSchema
from ..errors import DataError
from ..files.json_text import read_json, repeated
from ..variables.receptors import ER, HR, PR, RECEPTORS, with_hormone_receptors
from .text_table import Report, read_text_table


def read_clinical(path: Path, report: Report = lambda _: None) -> dict[str, object]:
    """Read clinical variables of one patient, see `_read_values`, with `hr` from `er` and `pr` if they have none.

    Args:
        report: called with each sentence about what was guessed, left aside or derived.

    Raises:
        DataError: see `_read_values`.
    """
    return with_hormone_receptors(_read_values(path, report), report)


def _read_values(path: Path, report: Report = lambda _: None) -> dict[str, object]:
    """Read clinical variables of one patient from a JSON object (also under `clinical_data`) or a table with one row.

    Args:
        report: called with each sentence about what was guessed or left aside in a table.

    Raises:
        DataError: if the file is missing, is neither of the two, or names a variable twice.
    """
    if path.suffix.lower() != ".json":
        table = read_text_table(path, report=report)
        table.check_columns()
        if len(table.rows) != 1:
            raise DataError(f"{path}: must hold one patient in one row below the header, got {len(table.rows)} rows")
        return dict(zip(table.columns, table.rows[0][1], strict=True))
    try:
        content = read_json(path, _names_once)
        values = dict(content.get("clinical_data", content))  # type: ignore[attr-defined]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the path of the clinical file") from None
    except (ValueError, AttributeError, TypeError) as error:
        reason = f" ({error})" if isinstance(error, ValueError) else ""
        raise DataError(f"{path}: must be a JSON object or a CSV table of clinical variables{reason}") from None
    if wrong := [name for name, value in values.items() if isinstance(value, list | dict)]:
        raise DataError(
            f"{path}: {wrong[0]} must be one value, got {str(values[wrong[0]])[:40]}; write text or a number"
        )
    return values


def _names_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if twice := repeated([name.strip().lower() for name, _ in pairs]):
        raise DataError(f"{twice[0][:40]} is given twice")
    return dict(pairs)


def _is_file(word: str) -> bool:
    """Return True if a word of a command names a file; it may be too long for a name."""
    try:
        return Path(word).is_file()
    except OSError:
        return False


def clinical_pairs(words: Sequence[str]) -> dict[str, str]:
    """Return those of a command's words that are pairs, as in `age=52`, and not files.

    Raises:
        DataError: if a variable is given twice.
    """
    pairs = [word.split("=", 1) for word in words if "=" in word and not _is_file(word)]
    names = [name.strip().lower() for name, _ in pairs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise DataError(f"clinical variable {min(twice)!r} is given twice; give it once")
    return dict(pairs)


def read_clinical_words(
    words: Sequence[str], schema: ClinicalSchema | None = None, report: Report = lambda _: None
) -> dict[str, object]:
    """Read clinical variables from a command's words, files and pairs; pairs override files.

    Args:
        words: as they were typed.
        schema: of the model, if it is known: a pair must name one of its variables, a file at least one.
        report: called with a sentence about what was derived.

    Raises:
        DataError: if a file cannot be read (see `read_clinical`), or the model does not know the names.
    """
    pairs = clinical_pairs(words)
    values: dict[str, object] = {}
    for word in words:
        if word.split("=", 1)[0] not in pairs:
            if "." not in word and not _is_file(word):
                raise DataError(f"--clinical must be a file, or pairs such as age=52, got {word}; write name=value")
            values.update(_read_values(Path(word)))
    if schema is not None:
        asked = {variable.name for variable in schema.asked}
        instead = {name for name in pairs if HR in asked and name.strip().lower() in {ER, PR} - asked}
        RECEPTORS.parse({name: pairs[name] for name in instead})
        schema.parse({name: value for name, value in pairs.items() if name not in instead}, strict=True)
        names = [variable.name for variable in schema.asked]
        given = {str(name).strip().lower() for name in with_hormone_receptors(values)}
        if values and names and given.isdisjoint(name.lower() for name in names):
            raise DataError(
                f"the clinical file names no variable of this model; its columns must be {', '.join(names)}"
            )
    return with_hormone_receptors({**values, **pairs}, report)
