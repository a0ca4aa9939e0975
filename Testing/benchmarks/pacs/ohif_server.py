"""OHIF, the viewer, on this machine beside an Orthanc: its npm package, and a server of its files and of the archive.

Everything comes from one address, so that the page needs no permission to ask the archive. `@ohif/app` is the built
viewer that OHIF publishes (MIT); `npm pack` brings it into a folder outside the repository, once.
"""

import contextlib
import http.client
import mimetypes
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = "3.12.10"
_SETTINGS = """
window.config = {
  routerBasename: null, extensions: [], modes: [], showStudyList: true, maxNumberOfWebWorkers: 2,
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false, strictZSpacingForVolumeViewport: true,
  investigationalUseDialog: { option: "never" }, useSharedArrayBuffer: "FALSE", defaultDataSourceName: "archive",
  maxNumRequests: { interaction: 20, thumbnail: 5, prefetch: 5 },
  dataSources: [{
    namespace: "@ohif/extension-default.dataSourcesModule.dicomweb", sourceName: "archive",
    configuration: {
      friendlyName: "Orthanc", name: "archive", wadoUriRoot: "/wado", qidoRoot: "/dicom-web", wadoRoot: "/dicom-web",
      qidoSupportsIncludeField: false, imageRendering: "wadors", thumbnailRendering: "wadors",
      enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true,
      omitQuotationForMultipartRequest: true, bulkDataURI: { enabled: true },
    },
  }],
};
"""


def fetch_viewer(cache: Path) -> Path:
    """Return the folder with the page of OHIF; fetch the package with npm if it is not in the cache.

    Raises:
        FileNotFoundError: without npm.
        subprocess.CalledProcessError: if npm cannot fetch it.
    """
    page = cache / f"ohif-{VERSION}" / "package" / "dist"
    if not page.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError("OHIF comes with npm; install it by: sudo apt-get install npm")
        subprocess.run([npm, "pack", f"@ohif/app@{VERSION}"], cwd=cache, check=True, capture_output=True)
        with tarfile.open(cache / f"ohif-app-{VERSION}.tgz") as archive:
            archive.extractall(page.parents[1], filter="data")
    return page


@contextlib.contextmanager
def serving_viewer(page: Path, archive_port: int) -> Iterator[str]:
    """Serve the viewer, and under /dicom-web the archive at a port of this machine; yield the address."""
    handler = type("Handler", (_Handler,), {"page": page, "archive_port": archive_port})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Files of the page, its settings, and requests that are passed on to the archive."""

    page: Path
    archive_port: int
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith(("/dicom-web", "/wado")):
            self._pass_on()
        elif path == "/app-config.js":
            self._send(_SETTINGS.encode(), "text/javascript")
        else:
            file = (self.page / path.lstrip("/")).resolve()
            inside = file.is_file() and file.is_relative_to(self.page.resolve())
            file = file if inside else self.page / "index.html"  # the page routes its own addresses
            self._send(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")

    def _pass_on(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.archive_port, timeout=300)
        wanted = {name: self.headers[name] for name in ("Accept", "Host", "Range") if name in self.headers}
        connection.request("GET", self.path, headers=wanted)
        answer = connection.getresponse()
        self._send(answer.read(), answer.getheader("Content-Type", ""), answer.status)
        connection.close()

    def _send(self, content: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the page no longer wants it
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
