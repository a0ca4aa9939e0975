"""What the server adds to the page's HTML: keys, the mouse wheel, and what is shown when the page has ended."""

from __future__ import annotations

import json

from PCRPredictorLib.mrml.keys import KEYS

SCRIPT = """<script>
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches?.("input")) return;
    event.preventDefault();
    document.getElementById(event.shiftKey ? "redo" : "undo")?.click();
  }, true);
  const keys = KEYS;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], .v-slider, [role=listbox]")) return;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const button = action && document.getElementById("do-" + action);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
  }, true);
  new MutationObserver(() => {
    if (document.body.innerText.trim() !== "Connection closed") return;
    document.body.innerHTML = "<p style='font-family: sans-serif; margin: 2em'>This page has ended, or is open in "
      + "another window. <a href='.'>Load it again</a>, or <a href='/'>open a new one</a>; if neither answers, "
      + "start pcr view again.</p>";
  }).observe(document.body, {childList: true, subtree: true});
  const WHEEL_MS = 33; // between two messages of a view: 30 per second
  const turned = new Map(); // slices to go by view
  addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.shiftKey || event.altKey || event.metaKey || !event.deltaY) return;
    const view = event.target.closest?.(".remote-controlled-area")?.parentElement.querySelector("[data-wheel]");
    if (!view) return;
    event.preventDefault();
    event.stopPropagation(); // else each notch waits until the one before has been answered, and they pile up
    const isWaiting = turned.has(view);
    turned.set(view, (turned.get(view) ?? 0) - Math.sign(event.deltaY));
    if (!isWaiting) turn(view);
  }, {capture: true, passive: false});
  function turn(view) {
    const slices = turned.get(view);
    if (!slices) return turned.delete(view);
    turned.set(view, 0);
    view.dataset.wheel = slices;
    view.click();
    setTimeout(turn, WHEEL_MS, view);
  }
</script>""".replace("KEYS", json.dumps({key.key: key.action for key in KEYS}))  # clicks the button of a key
