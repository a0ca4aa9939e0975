"""Ctrl-C ends a command in one line and with exit code 130, whenever it comes."""

import os
import shlex
import signal
import subprocess
import sys
import time

import pytest
from PCRPredictorLib.commands import interrupts
from PCRPredictorLib.commands.interrupts import as_command, describe_interrupt
from PCRPredictorLib.engine.sparing import spared_ctrl_c
from PCRTrainingLib.command_line import app, run

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a single process")


def interrupted_by(monkeypatch, capfd, body, words=("demo",)):
    """Return exit code and standard error of a command line whose command is `body`."""
    monkeypatch.setattr("PCRPredictorLib.command_line._run", lambda _app, _words: body())
    return run(app, list(words)), capfd.readouterr().err


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # Python hears it


def become_another_error():
    try:
        interrupt()
    except KeyboardInterrupt:
        raise RuntimeError("a library's words") from None


def lose_it():
    for _ in range(50):
        try:
            interrupt() if not interrupts.was_interrupted() else time.sleep(0.05)
        except KeyboardInterrupt:
            break
    for _ in range(100):
        time.sleep(0.02)  # until it is raised again


@needs_signals
@pytest.mark.parametrize("body", [interrupt, become_another_error, lose_it])
def test_an_interrupt_ends_in_one_line_whatever_becomes_of_it(body, monkeypatch, capfd):
    monkeypatch.setattr(interrupts, "_AGAIN_S", 0.05)
    code, told = interrupted_by(monkeypatch, capfd, body)
    assert (code, told) == (130, "pcr: interrupted; give the command again to begin anew\n")


@needs_signals
def test_a_second_interrupt_does_not_disturb_tidying_up(monkeypatch, capfd):
    tidied = []

    def body():
        try:
            interrupt()
        finally:
            interrupt()
            tidied.append(True)

    assert interrupted_by(monkeypatch, capfd, body)[0] == 130
    assert tidied == [True]


@needs_signals
def test_handlers_are_as_before_after_a_command(monkeypatch, capfd):
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook
    interrupted_by(monkeypatch, capfd, interrupt)
    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before


@pytest.mark.parametrize(
    ("words", "end"),
    [
        ("train a --out 'my run'", "go on with: pcr train a --out 'my run' --resume"),
        ("select a --out r --resume", "go on with: pcr select a --out r --resume"),
        ("predict --cohort a --out r", "go on with: pcr predict --cohort a --out r --resume"),
        ("predict --cohort=a --out r", "go on with: pcr predict --cohort=a --out r --resume"),
        ("predict --dicom a --out r", "give the command again to begin anew"),
        ("import a b", "go on with: pcr import a b"),
        ("evaluate a --out r", "give the command again to begin anew"),
    ],
)
def test_the_line_names_what_goes_on(words, end):
    assert describe_interrupt(shlex.split(words)).endswith(end)


def test_every_command_that_can_be_resumed_says_so():
    for name, command in app.commands.items():
        options = {option for parameter in command.loaded.params for option in parameter.opts}
        if "--resume" in options:
            assert "--resume" in describe_interrupt([name, "--cohort", "x"]), name


def test_a_command_can_be_pasted():
    assert as_command(["view", "a folder"]) in ("pcr view 'a folder'", 'pcr view "a folder"')


@needs_signals
@pytest.mark.parametrize("seconds", [0.02, 0.3])
def test_the_program_is_interrupted_while_it_loads(seconds, tmp_path):
    begin = (
        "from PCRPredictorLib.commands import interrupts; load = interrupts.import_module; "
        "interrupts.import_module = lambda name: print(flush=True) or load(name); interrupts.start()"
    )
    words = [sys.executable, "-c", begin, "train", str(tmp_path), "--out", "r", "--resume"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert told.count("\n") == 1
    assert process.returncode in (1, 130)  # it may have looked at the folder, which is no cohort


WORKING = """
import os, signal, threading, time, types, torch
from PCRPredictorLib.commands import interrupts
torch.set_num_threads(1)
def work():
    while True:
        torch.randn(64, 64).tanh().sum().item()
def run(_app):
    for _ in range(4):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
program = types.SimpleNamespace(run=run, app=None, begin_program=int, use_utf8=int, silence_libraries=int)
interrupts.import_module = lambda _name: program
interrupts.start()
"""


@needs_signals
def test_threads_at_work_in_torch_do_not_abort_the_end():
    done = subprocess.run([sys.executable, "-c", WORKING], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (130, 1)


@needs_signals
def test_a_process_is_spared_from_its_first_moment():
    with spared_ctrl_c():
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"])
    child.send_signal(signal.SIGINT)
    assert child.wait() == 0


@needs_signals
def test_the_first_process_of_multiprocessing_is_spared_too():
    program = """
import multiprocessing, os, signal, time
from PCRPredictorLib.engine.sparing import spared_ctrl_c
if __name__ == "__main__":
    with spared_ctrl_c():
        process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0.5,))
        process.start()
    os.kill(process.pid, signal.SIGINT)
    process.join()
    print(process.exitcode)
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "0\n"
