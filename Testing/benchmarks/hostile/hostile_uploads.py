"""Four hostile uploads to `pcr view` at once: the memory of its processes, and how long others wait meanwhile.

    python Testing/benchmarks/hostile/hostile_uploads.py

Prints the peak of all processes together (what they share counts once), and the slowest answer to a fifth page.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from support.hostile.images import bomb, nifti, packed_nifti

_SECONDS, _PORT = 300.0, 18765
HOSTILE = {
    "promises 3.9 GB": lambda content: bomb(content[:352], megabytes=4000),
    "3 GB behind its voxels": lambda content: bomb(content, megabytes=3000),
}


def main() -> None:
    """Start the page's server, upload, and print what was measured."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = _write(folder)
        words = [sys.executable, "-m", "PCRTrainingLib.command_line", "view", "--no-browser", "--port", str(_PORT)]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            _measure(f"http://127.0.0.1:{_PORT}", psutil.Process(server.pid), files)
        finally:
            server.terminate()
            server.wait(60)


def _write(folder: Path) -> list[list[Path]]:
    """Return the three phases of each upload."""
    found = []
    for name, pack in HOSTILE.items():
        fields = {"dim": [3, 1024, 1024, 1950, 1, 1, 1, 1]} if "promises" in name else {}
        file = packed_nifti(pack, **fields)(folder / name.replace(" ", "_"))
        found += [[file] * 3, [nifti()(folder / f"{name}_pre"), file, file]]
    return found


def _measure(address: str, server: psutil.Process, uploads: list[list[Path]]) -> None:
    pages = [_open(address) for _ in range(len(uploads) + 1)]
    print(f"before: {_megabytes(server):.0f} MB in {1 + len(server.children(recursive=True))} processes")
    threads = [
        threading.Thread(target=_upload, args=pair, daemon=True) for pair in zip(pages[:-1], uploads, strict=True)
    ]
    for thread in threads:
        thread.start()
    peak, slowest, end = 0.0, 0.0, time.monotonic() + _SECONDS
    while time.monotonic() < end and any(thread.is_alive() for thread in threads):
        begin = time.monotonic()
        urlopen(pages[-1], timeout=30).read()
        slowest = max(slowest, time.monotonic() - begin)
        peak = max(peak, _megabytes(server))
        time.sleep(0.1)
    print(f"four hostile uploads: at most {peak:.0f} MB, slowest answer to others {slowest:.2f} s")


def _open(address: str) -> str:
    for _ in range(120):
        try:
            with urlopen(Request(address + "/"), timeout=200) as answer:
                return answer.url
        except URLError:
            time.sleep(0.5)
    raise SystemExit("the server does not answer")


def _upload(page: str, files: list[Path]) -> None:
    body = b""
    for name, file in zip(("pre", "early", "late"), files, strict=True):
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file.name}"'
        body += f"--end\r\n{head}\r\n\r\n".encode() + file.read_bytes() + b"\r\n"
    headers = {"Origin": page.split("/page/")[0], "Content-Type": "multipart/form-data; boundary=end"}
    try:
        with urlopen(Request(page + "upload", body + b"--end--\r\n", headers), timeout=300) as answer:
            print(f"  upload of {len(body) >> 20} MB: {answer.status}")
    except HTTPError as error:
        print(f"  upload of {len(body) >> 20} MB: {error.code} {error.read().decode()[:150]}")


def _megabytes(server: psutil.Process) -> float:
    """Return the memory of the server and its processes; pages that they share count in parts."""
    total = 0
    for process in (server, *server.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 2**20


if __name__ == "__main__":
    main()
