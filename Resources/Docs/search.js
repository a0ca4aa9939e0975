/* A minus, plus, colon and the like are operators of the search: `--find-tumour` would ask for pages without "find".
   A page and its first section are one hit. What was typed stands first where it is in the title, then where it is in the text.
   A section is named with its page, as the menu calls it. */
addEventListener("load", () => {
  if (location.protocol === "file:") {
    const form = document.getElementById("rtd-search-form");
    if (form) form.innerHTML = "Search needs a server: mkdocs serve";
  }
  if (typeof searchWorker === "undefined") return;
  const send = searchWorker.postMessage.bind(searchWorker);
  searchWorker.postMessage = (message) =>
    send(message.query ? { ...message, query: message.query.replace(/[-+~^:*.,;()`/=_]/g, " ") } : message);
  const show = displayResults;
  const place = (hit) => hit.title + hit.location.split("#")[0];
  const field = document.getElementById("mkdocs-search-query");
  const at = (path) => new URL(path, location.href).href;
  const pages = Object.fromEntries([...document.querySelectorAll(".wy-menu a")].map((link) => [link.href, link.innerText.trim()]));
  const named = (hit) => {
    const page = pages[at(joinUrl(base_url, hit.location.split("#")[0]))];
    return { ...hit, title: page && page !== hit.title ? page + ": " + hit.title : hit.title };
  };
  window.displayResults = (hits) => {
    const typed = field.value.trim().toLowerCase();
    const rank = (hit) => [hit.title, hit.text].findIndex((text) => text.toLowerCase().includes(typed)) >>> 0;
    const once = hits.filter((hit, k) => hits.findIndex((one) => place(one) === place(hit)) === k);
    show(once.sort((one, other) => rank(one) - rank(other)).map(named));
  };
  if (field && field.value) doSearch();
});
