"""The command `pcr`, without training: its subcommands, and what every one of them does at its start and end.

Exit codes: 0 done, 1 the data is at fault, 2 the call is, 130 interrupted.
"""

import contextlib
import errno
import locale
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from . import __version__
from .calls.words import misplaced_option
from .child import begin_program, end_with_parent, is_child
from .commands.deferred import Deferred
from .commands.interrupts import INTERRUPTED, hearing, was_interrupted, write_interrupted
from .commands.options import console
from .errors import DataError, ignore_warnings_of_libraries, within_memory
from .formatting import as_line

# Read when NumPy and torch are loaded: threads that share small work, or wait for each other actively, take many times
# as long beside other programs.
_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
_GARBAGE = 100_000  # new objects before unused ones are looked for: loading packages makes many, and all are used
_SUBCOMMANDS = (
    Deferred(
        "demo",
        "PCRPredictorLib.commands.demo:demo",
        "Make a full-size phantom exam and predict it with the model that was trained on phantoms.",
    ),
    Deferred(
        "predict",
        "PCRPredictorLib.commands.predict:predict",
        "Predict one exam, from files or DICOM, or a whole cohort.",
    ),
    Deferred(
        "follow",
        "PCRPredictorLib.commands.follow:follow",
        "Follow a tumour under treatment: measure it at each visit, and predict pCR from how it responds.",
    ),
    Deferred(
        "pacs",
        "PCRPredictorLib.commands.pacs:pacs",
        "Find studies of a PACS, predict them, and store the results.",
    ),
    Deferred(
        "phantom",
        "PCRPredictorLib.commands.phantom:phantom",
        "Write a synthetic cohort in the MAMA-MIA layout, with every patient's true probability in its table.",
    ),
    Deferred(
        "doctor",
        "PCRPredictorLib.commands.doctor:doctor",
        "Look at versions, packages, graphics, memory and models; exit code 1 if anything is wrong.",
    ),
    Deferred(
        "bundle",
        "PCRPredictorLib.commands.bundle:bundle",
        "List, show, verify and export models.",
    ),
)

_LOOP = "Symlink loop from "
_LEAST = 10**9  # bytes of addresses
_MEMORY = "the memory that this program may use is too small; raise the limit (ulimit -v), or close other programs"


def _show_version(wanted: bool) -> None:
    if wanted:
        console.print(f"pcr {__version__}")
        raise typer.Exit


def about(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Predict pathological complete response (pCR) from breast DCE-MRI. Research use only."""


def _make_application() -> typer.core.TyperGroup:
    root = typer.Typer(no_args_is_help=True)
    root.callback()(about)
    group: Any = typer.main.get_command(root)
    for command in _SUBCOMMANDS:
        group.add_command(command)
    return group


app = _make_application()


def run(application: typer.core.TyperGroup, arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; report an error in the data in one line on standard error.

    Ctrl-C ends it in one line, too, that names what goes on with it.
    """
    words = sys.argv[1:] if arguments is None else [*arguments]
    with hearing(words):
        try:
            code = _run(application, words)
        except BaseException:
            if not was_interrupted():
                raise
            code = INTERRUPTED
        if code == INTERRUPTED or (code and was_interrupted()):  # other errors are its consequence
            code = INTERRUPTED
            if not is_child():
                write_interrupted()
    return code


def _run(application: typer.core.TyperGroup, words: Sequence[str]) -> int:
    try:
        _accept_any_character()
        ignore_warnings_of_libraries()
        if is_child():
            end_with_parent()
        if not _has_folder():
            return _report("the current folder is not there any more; change into one that is (cd ~), and try again")
        if words and not {"--help", "--version"} & set(words) and not _has_addresses():
            return _report(_MEMORY)
        if problem := misplaced_option(words, getattr(application, "commands", ())):
            _report(problem)
            return 2
        with within_memory():
            code = application(words, prog_name="pcr", standalone_mode=True)
    except DataError as error:
        return _report(str(error))
    except BrokenPipeError:  # whoever read the output has ended
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  flushed at the end of the process
        return 1
    except (OSError, ImportError, RuntimeError) as error:
        if (reason := _of_the_machine(error)) is None:
            raise
        return _report(reason)
    except SystemExit as stop:
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return INTERRUPTED
    return int(code or 0)


def _has_folder() -> bool:
    """Return False if the folder that the command was called in was removed, or its network drive is gone."""
    try:
        return bool(os.getcwd())  # noqa: PTH109
    except OSError:
        return False


def _has_addresses() -> bool:
    """Return False if the process may use too few addresses: libraries of numbers end it without a word then."""
    if sys.platform == "win32":
        return True
    import resource

    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    return most == resource.RLIM_INFINITY or most >= _LEAST


def _report(sentence: str) -> int:
    if was_interrupted():
        return INTERRUPTED
    sys.stderr.write(f"pcr: {as_line(sentence)}\n")
    return 1


def _of_the_machine(error: OSError | ImportError | RuntimeError) -> str | None:
    """Return a sentence about a limit of the machine or a link in a circle that was met, None for any other error."""
    if any(text in str(error).lower() for text in ("map segment", "allocate memory")):
        return _MEMORY
    if isinstance(error, RuntimeError):  # of `Path.resolve`; later versions of Python raise an OSError
        path = str(error).removeprefix(_LOOP).strip("'")
        return f"{path}: is a link in a circle; give the file or folder itself" if _LOOP in str(error) else None
    if isinstance(error, ImportError):
        return None
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open; raise the limit (ulimit -n 1024), or close other programs"
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        return f"{error.filename or 'a file'}: cannot be written ({error.strerror}); free some space or raise the limit"
    if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
        return f"{error.filename}: is no name of a file ({error.strerror}); check the words of the command"
    return _MEMORY if error.errno in (errno.ENOMEM, errno.EAGAIN) else None


def _accept_any_character() -> None:
    """Write characters that a terminal or a file cannot show as numbers, rather than ending the command.

    On Windows the C library opens files by UTF-8 names only if it is told to; SimpleITK opens them through it.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.platform == "win32":
        with contextlib.suppress(locale.Error):  # Windows before 2018
            locale.setlocale(locale.LC_CTYPE, ".UTF8")


def use_utf8() -> None:
    """Start the command again in Python's UTF-8 mode if file names are not text in UTF-8, as in the locale C.

    Names with other letters than those of English cannot be given to the libraries that read images otherwise.
    """
    if sys.platform != "win32" and sys.getfilesystemencoding().lower() not in ("utf-8", "utf8"):
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def silence_libraries() -> None:
    """Keep warnings of libraries, which say nothing to a user, from the terminal; also those of processes begun here.

    They are for programmers: `PYTHONWARNINGS` or `-W` shows them.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"


def main() -> None:
    """Run `pcr` without the training commands."""
    use_utf8()
    silence_libraries()
    begin_program()
    sys.exit(run(app))


if __name__ == "__main__":
    main()
