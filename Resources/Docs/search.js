/* A minus, plus, colon and the like are operators of the search: `--find-tumour` would ask for pages without "find".
   A page and its first section are one hit. */
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
  window.displayResults = (hits) => show(hits.filter((hit, k) => hits.findIndex((one) => place(one) === place(hit)) === k));
  const field = document.getElementById("mkdocs-search-query");
  if (field && field.value) doSearch();
});
