"""The script of the page, run by Node in place of a browser: what the server has not answered is said."""

import shutil
import subprocess

import pytest
from PCRPredictorView.serving.script import SCRIPT

NODE = shutil.which("node")
BROWSER = """
const classes = new Set(), nothing = () => null, said = [];
globalThis.addEventListener = nothing;
globalThis.MutationObserver = class { observe() {} };
globalThis.document = {getElementById: nothing, querySelector: nothing, body: {classList: {
  toggle: (name, on) => on ? classes.add(name) : classes.delete(name), add: (name) => classes.add(name)}}};
globalThis.WebSocket = class {
  heard = {};
  addEventListener(event, listener) { this.heard[event] = listener; }
  send() {}
};
"""
CALLS = r"""
const bytes = (text) => new TextEncoder().encode(text), socket = new WebSocket("x");
const note = () => said.push([...classes].join(" "));
socket.send(bytes("wslink1.0 id rpc:c1:45 method trame.rca.event"));
setTimeout(() => {
  note();
  socket.heard.message({data: new Blob([bytes("wslink1.0 id rpc:c1:45 result")])});
  setTimeout(() => {
    note();
    console.error("Error in _processEventQueue:", "refused");
    note();
    console.log(said.join("|"));
    process.exit();
  }, 500);
}, 900);
"""


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_a_call_without_an_answer_is_shown_as_waiting_and_a_lost_one_as_lost():
    script = SCRIPT.partition("<script>")[2].partition("</script>")[0]
    done = subprocess.run([str(NODE), "-e", BROWSER + script + CALLS], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "is-waiting||has-lost", done.stderr
