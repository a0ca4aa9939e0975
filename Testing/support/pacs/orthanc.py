"""Orthanc, a real PACS with DICOMweb, on a free loopback port and in a folder of its own."""

import io
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import pytest
import requests

from support.waiting import wait_until

PROGRAM = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
MISSING = "needs Orthanc with its DICOMweb plugin: apt-get install orthanc orthanc-dicomweb"
needs_orthanc = pytest.mark.skipif(PROGRAM is None or not PLUGIN.exists(), reason=MISSING)
ENDS_WITH_US = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []


@dataclass
class Orthanc:
    """A PACS; `start` and `stop` it as often as wanted, it keeps its content and its port.

    Args:
        folder: of the configuration, the log and what is stored.
        users: passwords by name; without any, whoever comes is let in.
        megabytes: limit of what is stored, 0 for none. At the limit, Orthanc deletes the oldest patients, see `fill`.
        options: of Orthanc's configuration, more.
    """

    folder: Path
    users: Mapping[str, str] = field(default_factory=dict)
    megabytes: int = 0
    options: Mapping[str, object] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen | None = None

    @property
    def root(self) -> str:
        """Return the address of Orthanc's own interface."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Return the address of DICOMweb."""
        return f"{self.root}/dicom-web"

    def start(self) -> "Orthanc":
        """Start it, and return when it answers."""
        for _ in range(5):  # another program may take the port that was free
            self.port = self.port or free_port()
            self._launch()
            wait_until(lambda: self._answers() or self.process.poll() is not None, 120)  # on a busy machine
            if self.process.poll() is None:
                return self
            self.port = 0
        raise AssertionError((self.folder / "log").read_text())

    def stop(self, *, kill: bool = False) -> None:
        """Stop it and wait for its end, 2.5 s; `kill` gives it no time for anything."""
        if self.process is not None:
            (self.process.kill if kill else self.process.terminate)()
            self.process.wait(30)
            self.process = None

    def restart(self, *, kill: bool = False) -> None:
        """Stop it and start it on the same port with what it holds."""
        self.stop(kill=kill)
        self.start()

    def upload(self, files: Path | Iterable[Path]) -> None:
        """Store files, or all files of a folder, as a scanner would have."""
        if isinstance(files, Path):
            files = [path for path in sorted(files.rglob("*")) if path.is_file()] if files.is_dir() else [files]
        for path in files:
            self.upload_bytes(path.read_bytes())

    def upload_bytes(self, content: bytes) -> None:
        """Store one DICOM file."""
        self._ask("POST", "/instances", data=content)

    def studies(self) -> list[str]:
        """Return the Study Instance UIDs."""
        return [study["MainDicomTags"]["StudyInstanceUID"] for study in self._find("Study", {})]

    def series(self, study: str) -> list[dict[str, str]]:
        """Return the main attributes of the series of a study, by keyword."""
        return [series["MainDicomTags"] for series in self._find("Series", {"StudyInstanceUID": study})]

    def instances(self, study: str = "", modality: str = "") -> list[str]:
        """Return the SOP Instance UIDs of a study and modality, sorted; of all without them."""
        wanted = {"StudyInstanceUID": study, "Modality": modality}
        query = {name: value for name, value in wanted.items() if value}
        return sorted(found["MainDicomTags"]["SOPInstanceUID"] for found in self._find("Instance", query))

    def read(self, instance: str) -> pydicom.Dataset:
        """Return a stored object."""
        (found,) = self._find("Instance", {"SOPInstanceUID": instance})
        return pydicom.dcmread(io.BytesIO(self._ask("GET", f"/instances/{found['ID']}/file").content))

    def delete(self, study: str) -> None:
        """Delete a study."""
        for found in self._find("Study", {"StudyInstanceUID": study}):
            self._ask("DELETE", f"/studies/{found['ID']}")

    def delete_instances(self, instances: Iterable[str]) -> None:
        """Delete objects by SOP Instance UID."""
        for instance in instances:
            for found in self._find("Instance", {"SOPInstanceUID": instance}):
                self._ask("DELETE", f"/instances/{found['ID']}")

    def statistics(self) -> dict:
        """Return how much is stored."""
        return self._ask("GET", "/statistics").json()

    def delete_instance(self, instance: str) -> None:
        """Delete an object."""
        for found in self._find("Instance", {"SOPInstanceUID": instance}):
            self._ask("DELETE", f"/instances/{found['ID']}")

    def clear(self) -> None:
        """Delete everything."""
        for patient in self._ask("GET", "/patients").json():
            self._ask("DELETE", f"/patients/{patient}")

    def fill(self) -> None:
        """Refuse whatever passes the limit: what is stored now may not be deleted for it.

        Orthanc 1.10 answers DICOMweb with 500 for an object larger than the limit. For others it answers 200, and names
        them neither among the stored nor among the failed ones.
        """
        for patient in self._ask("GET", "/patients").json():
            self._ask("PUT", f"/patients/{patient}/protected", data="1")

    def _find(self, level: str, query: Mapping[str, str]) -> list[dict]:
        return self._ask("POST", "/tools/find", json={"Level": level, "Query": query, "Expand": True}).json()

    def _ask(self, method: str, path: str, **content) -> requests.Response:
        user = next(iter(self.users.items()), None)
        answer = requests.request(method, self.root + path, auth=user, timeout=30, **content)
        answer.raise_for_status()
        return answer

    def _launch(self) -> None:
        storage = self.folder / "storage"
        storage.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "orthanc.json"
        configuration.write_text(json.dumps(self._configuration(storage)))
        with (self.folder / "log").open("ab") as log:
            command = [*ENDS_WITH_US, PROGRAM, str(configuration)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _configuration(self, storage: Path) -> dict[str, object]:
        return {
            "StorageDirectory": str(storage),
            "IndexDirectory": str(storage),
            "HttpPort": self.port,
            "DicomServerEnabled": False,
            "AuthenticationEnabled": bool(self.users),
            "RegisteredUsers": dict(self.users),
            "MaximumStorageSize": self.megabytes,
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Host": f"127.0.0.1:{self.port}"},
            **self.options,
        }

    def _answers(self) -> bool:
        try:
            return self.process.poll() is None and bool(self._ask("GET", "/system"))
        except requests.RequestException:
            return False


def free_port() -> int:
    """Return a loopback port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
