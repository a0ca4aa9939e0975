"""What the server adds to the page's HTML: keys, the mouse wheel, what waits for an answer, the page's end."""

from __future__ import annotations

import json

from PCRPredictorLib.mrml.keys import KEYS

SCRIPT = """<style>
  #waiting-for, #lost, .is-waiting #status, .is-waiting #elapsed, .is-waiting #message { display: none; }
  .is-waiting #waiting-for, .has-lost #lost { display: block; }
  #views img[data-old] { visibility: hidden; }
  .is-waiting #tool { pointer-events: none; opacity: 0.5; } /* what waits belongs to the tool that it was made with */
</style><script>
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
  const opened = Date.now();
  let stage = ""; // of opening the page, with the seconds since, until the page itself replaces it
  function tell(text) {
    const place = document.querySelector("#waiting [role=status]"), seconds = Math.floor((Date.now() - opened) / 1000);
    stage = text || stage || place?.textContent || "";
    if (place) place.textContent = stage + (seconds > 2 ? " " + seconds + " s" : "");
  }
  const asked = new Map(); // what the server has not answered: when it was sent, by the identifier of wslink's call
  const PATIENCE_MS = 500; // after which the page says that it waits
  const identify = (bytes) => {
    const start = String.fromCharCode(...new Uint8Array(bytes).subarray(0, 200));
    return /rpc:[^:]*:\\d+/.exec(start)?.[0];
  };
  WebSocket = class extends WebSocket {
    constructor(...where) {
      super(...where);
      tell("Opening the page: connecting to its process.");
      this.addEventListener("open", () => tell("Opening the page: its panel and its views are made."));
      this.addEventListener("error", () => tell("This page has ended; load it again, or open a new one at /."));
      this.addEventListener("message", async ({data}) => {
        asked.delete(identify(data instanceof Blob ? await data.slice(0, 200).arrayBuffer() : data));
      });
      this.addEventListener("close", () => asked.clear());
    }
    send(data) {
      const call = ArrayBuffer.isView(data) && identify(data.buffer.slice(data.byteOffset, data.byteOffset + 200));
      if (call) asked.set(call, Date.now());
      super.send(data);
    }
  };
  let doing = "", since = 0;
  setInterval(() => { // a stroke waits in the browser until the one before has been answered
    tell();
    const first = asked.values().next().value ?? Infinity;
    document.body.classList.toggle("is-waiting", Date.now() - first > PATIENCE_MS);
    const now = document.getElementById("busy") ? document.getElementById("status")?.innerText ?? "" : "";
    if (now !== doing) [doing, since] = [now, Date.now()];
    const place = document.getElementById("elapsed"), seconds = Math.floor((Date.now() - since) / 1000);
    if (place) place.textContent = doing && seconds > 2 ? seconds + " s" : "";
  }, 250);
  const reportError = console.error;
  console.error = (...what) => {
    if (String(what[0]).startsWith("Error in _processEventQueue")) document.body.classList.add("has-lost");
    reportError(...what);
  };
  addEventListener("pointerdown", () => document.body.classList.remove("has-lost"), true);
  const sources = new WeakMap(); // of the pictures of the exam before, which are hidden until the next ones are there
  new MutationObserver((changes) => {
    if (changes.some((change) => change.attributeName === "data-late" && change.target.dataset.late === "true"))
      for (const picture of document.querySelectorAll("#views img")) {
        sources.set(picture, picture.src);
        picture.dataset.old = "";
      }
    for (const {target} of changes) if (sources.get(target) !== target.src) delete target.dataset.old;
  }).observe(document, {attributes: true, attributeFilter: ["data-late", "src"], subtree: true});
  let at = 0; // how far the panel is scrolled: a new layout of the views makes it again, at its top
  addEventListener("scroll", (event) => {
    if (event.target.matches?.(".v-navigation-drawer__content")) at = event.target.scrollTop;
  }, true);
  let panel = null;
  new MutationObserver(() => {
    const found = document.querySelector(".v-navigation-drawer__content");
    if (!found || found === panel) return;
    panel = found;
    const wanted = at;
    const scroll = () => { if (panel === found && wanted) found.scrollTop = wanted; };
    for (const wait of [0, 50, 200, 500]) setTimeout(scroll, wait);
  }).observe(document, {childList: true, subtree: true});
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
