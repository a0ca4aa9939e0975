"""What is reported to users: the exception whose message is written for them, warnings, and problems of patients."""

import re
import traceback
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .formatting import as_line, count

TOO_LARGE = "the exam needs more memory than this computer has; crop it, or close other programs"
TOO_DEEP = "a file of the exam is nested deeper than any that a program writes; export it again"
_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "cannot allocate memory")  # of torch, in a RuntimeError
_GOT = re.compile(r"(?P<before>.*?\bgot )(?P<value>'[^']*'|\"[^\"]*\"|\S+?)(?P<after>(?:[;,.]? .*)?)", re.DOTALL)
_VALUES = 5  # different values that a sentence shows


class DataError(ValueError):
    """Report data that cannot be used, in one sentence: what is wrong and what to do.

    The command line prints the message and exits with 1; panel and page show it once. What it quotes of a file is
    harmless to all three: it is one line of bounded length without control characters, see `as_line`.
    """

    def __init__(self, *parts: object) -> None:
        super().__init__(*(as_line(part) if isinstance(part, str) else part for part in parts))


class CallError(DataError):
    """Report arguments that do not go together, in one sentence; the command line exits with 2."""


def ignore_warnings_of_libraries() -> None:
    """Keep from the terminal what pydicom says about values that the standard does not allow; readers check theirs.

    Also what scikit-learn says when a site has fewer patients of a class than there are folds: they are divided anyhow;
    and what matplotlib says of a letter that its font lacks, which it draws as a box.
    It is said when a value is looked at, wherever that is. For processes of our own: the filter holds for all of one.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom(\.|$)")
    warnings.filterwarnings("ignore", "The least populated class in y", UserWarning, r"sklearn(\.|$)")
    warnings.filterwarnings("ignore", r"Glyph \d+ ", UserWarning)


def trace_of(error: BaseException) -> str:
    """Return kind and places of an error that nobody expected, "" for one that is reported in a sentence of its own.

    What it says is left out: it may hold a path or a value, and with it a patient's name.
    """
    if isinstance(error, DataError | MemoryError):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}, line {frame.lineno}, in {frame.name}" for frame in frames]
    return "\n".join([type(error).__name__, *places])


@contextmanager
def within_memory() -> Iterator[None]:
    """Report that the memory is exhausted as an error of the exam at hand; the next one may fit.

    Raises:
        DataError: if it is.
    """
    try:
        yield
    except MemoryError:
        raise DataError(TOO_LARGE) from None
    except RecursionError:
        raise DataError(TOO_DEEP) from None
    except RuntimeError as error:
        if any(text in str(error).lower() for text in _OUT_OF_MEMORY):
            raise DataError(TOO_LARGE) from None
        raise


@contextmanager
def of_one_patient() -> Iterator[None]:
    """Report whatever the files of one patient raise as an error of that patient, so that the others go on.

    Raises:
        DataError: in one sentence; of an error that nobody expected, its kind and place without what it says.
    """
    try:
        with within_memory():
            yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(sentence_of(error)) from error


def sentence_of(error: BaseException | None) -> str:
    """Return what is reported of an error that one patient's files have raised, "" of none."""
    if error is None or isinstance(error, DataError):
        return str(error or "")
    if isinstance(error, MemoryError):
        return TOO_LARGE
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        return f"a file or folder cannot be used ({reason}); check that it is there and that you may read it"
    kind, *places = trace_of(error).splitlines()
    what = " in ".join([f"it ended with an unexpected {kind}", *places[-1:]])
    return f"{what}; please report this, the other patients are not affected"


@dataclass(frozen=True)
class Notice:
    """Warn the reader of a result.

    Args:
        code: for programs.
        message: in plain words for a radiologist.
        blocks_decision: True if the result must not be relied on, so that no decision is given.
    """

    code: str
    message: str
    blocks_decision: bool = False


@dataclass(frozen=True)
class Problem:
    """A patient left out, and the reason as a sentence."""

    patient_id: str
    reason: str


@dataclass(frozen=True)
class ProblemGroup:
    """A reason that several patients share; their identifiers and values are taken out of it."""

    reason: str
    patients: tuple[str, ...]

    def describe(self, shown: int | None = None) -> str:
        """Return one line: the number of patients, the reason, and the patients.

        Args:
            shown: the most patients that are named; None for all.
        """
        if len(self.patients) == 1:
            return f"{self.patients[0]}: {self.reason}"
        names = ", ".join(self.patients[:shown])
        more = ", ..." if shown is not None and len(self.patients) > shown else ""
        return f"{count(len(self.patients), 'patient')}: {self.reason} ({names}{more})"


def group_problems(problems: Iterable[Problem]) -> list[ProblemGroup]:
    """Return equal problems together, the most frequent first; they may differ in identifier and value."""
    groups = defaultdict(list)
    for problem in problems:
        before, value, after = _parts(problem)
        groups[before, after].append((value, problem))
    found = [_as_group(before, after, members) for (before, after), members in groups.items()]
    return sorted(found, key=lambda group: -len(group.patients))


def _parts(problem: Problem) -> tuple[str, str, str]:
    """Return the reason without the patient's identifier: up to its value, the value, and the rest."""
    name = rf"(?<![^\W_]){re.escape(problem.patient_id)}(?![^\W_])"
    text = re.sub(name, "<patient>", problem.reason, flags=re.IGNORECASE)
    match = _GOT.fullmatch(text)
    return (match["before"], match["value"], match["after"]) if match else (text, "", "")


def _as_group(before: str, after: str, members: Sequence[tuple[str, Problem]]) -> ProblemGroup:
    patients = tuple(problem.patient_id for _, problem in members)
    if len(members) == 1:
        return ProblemGroup(members[0][1].reason, patients)
    values = list(dict.fromkeys(value for value, _ in members))
    shown = ", ".join(values[:_VALUES]) + (", ..." if len(values) > _VALUES else "")
    return ProblemGroup(before + shown + after, patients)
