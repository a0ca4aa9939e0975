"""`pcr federate serve`: the server of a federation. It holds no patients; it runs until the bundle is written.

A FLARE job cannot take up a site that comes back. So when a site is back, the job ends after its round, and the next
one, of all sites that are there, goes on from the state in the folder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError

from ..progress import Progress
from ..run_files import read_content, refusing_damage
from .folder import FederationFolder, Plan
from .optional import require_flare
from .processes import check_running, end_group, show_lines
from .rounds import agreed_of
from .simulate import check_finished

_POLL, _LOGIN = 2.0, 60.0  # seconds
_SEEN = 15.0  # seconds after which a site that the server hears of is there
_ATTEMPTS = 5  # jobs in a row without a round


def serve(folder: FederationFolder, plan: Plan, host: str, port: int, wait: float, progress: Progress) -> None:
    """Make the kits of a new federation, run the server, and stop when the bundle is written.

    Args:
        host: name under which the sites reach this machine.
        wait: seconds to wait for all sites before the first round begins without the missing ones.

    Raises:
        DataError: if the federation cannot go on; a repeated call goes on from its last round.
    """
    require_flare()
    from .flare.kits import make_kits

    plan = folder.begin(replace(plan, host=host, port=port))
    kits = make_kits(folder.path / "kits", host, port, plan.sites, agreed_of(plan))
    for name in plan.sites:
        progress.say(f"Kit of {name}: {kits[name]}, for pcr federate join; it holds a private key")
    with _server(kits["server"]) as check, _session(kits["admin"], check) as session:
        _Serving(folder, plan, session, progress, check).run(wait)
        with suppress(Exception):  # sites that are gone do not answer
            session.shutdown("client")
    check_finished(folder, progress)


def _arguments(kit: Path) -> list[str]:
    module = "nvflare.private.fed.app.server.server_train"
    options = ["secure_train=true", "config_folder=config", "org=breastpcr"]
    return [sys.executable, "-u", "-m", module, "-m", str(kit), "-s", "fed_server.json", "--set", *options]


@contextmanager
def _server(kit: Path) -> Iterator[Callable[[], None]]:
    """Run FLARE's server as a process; end it and its jobs at the end.

    Yields:
        A function that raises a DataError if the server has ended by itself.
    """
    file = kit / "server.log"
    with file.open("ab") as log:
        process = subprocess.Popen(
            _arguments(kit.resolve()), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            yield lambda: check_running(process, file)
        finally:
            end_group(process)


@contextmanager
def _session(kit: Path, check: Callable[[], None]) -> Iterator[Any]:
    """Yield the administrator's session with the server.

    Args:
        check: raises an error if the server has ended.

    Raises:
        DataError: if the server does not answer.
    """
    from nvflare.fuel.flare_api.flare_api import new_secure_session

    from .flare.kits import ADMIN

    deadline = time.monotonic() + _LOGIN
    while True:
        try:
            session = new_secure_session(ADMIN, str(kit.resolve()), timeout=10.0)
            break
        except Exception:  # FLARE raises many kinds while the server starts
            check()
            if time.monotonic() > deadline:
                log = kit.parent / "*" / "server.log"
                raise DataError(f"FLARE's server does not answer; see {log}, is the port free?") from None
            time.sleep(_POLL)
    try:
        yield session
    finally:
        session.close()


class _Serving:
    """Jobs of a federation, one after the other, until it is finished."""

    def __init__(
        self,
        folder: FederationFolder,
        plan: Plan,
        session: Any,  # noqa: ANN401
        progress: Progress,
        check: Callable[[], None],
    ) -> None:
        self._folder, self._plan, self._session, self._progress, self._check = folder, plan, session, progress, check
        self._shown = len(folder.log.read_text(encoding="utf-8").splitlines()) if folder.log.is_file() else 0

    def run(self, wait: float) -> None:
        """Submit jobs until the end.

        Raises:
            DataError: if several jobs in a row bring no round, or FLARE's server ends.
        """
        failed = 0
        self._wait_for_sites(wait)
        while not self._folder.is_done():
            before = self._folder.read_state().done
            self._follow(self._submit())
            self._show_log()
            failed = 0 if self._folder.read_state().done > before else failed + 1
            if failed == _ATTEMPTS:
                raise DataError(
                    f"{failed} jobs in a row brought no round; see {self._folder.log}, then repeat the call"
                )
            if not self._folder.is_done():
                self._wait_for_sites(0)

    def _wait_for_sites(self, wait: float) -> None:
        """Wait until all sites are connected, or at least `least` after some seconds."""
        deadline = time.monotonic() + wait
        there: set[str] = set()
        self._progress.say(f"waiting for {', '.join(self._plan.sites)}")
        while True:
            self._check()
            now = set(self._seen())
            for name in sorted(now - there):
                self._progress.say(f"{name} is connected")
            there = now
            if there >= set(self._plan.sites) or (len(there) >= self._plan.least and time.monotonic() > deadline):
                return
            time.sleep(_POLL)

    def _seen(self) -> dict[str, float]:
        """Return when each site was last heard of, of those heard of lately; empty if the server does not say."""
        with suppress(Exception):
            found = self._session.get_system_info().client_info
            return {c.name: c.last_connect_time for c in found if time.time() - c.last_connect_time < _SEEN}
        return {}

    def _submit(self) -> str:
        from .flare.job import make_job

        with tempfile.TemporaryDirectory() as place:
            make_job("federation", self._folder.path, self._plan.least).export_job(place)
            return self._session.submit_job(str(Path(place) / "federation"))

    def _follow(self, job: str) -> None:
        """Wait until a job ends; ask it to end when a site that it lost is back."""
        while True:
            time.sleep(_POLL)
            self._show_log()
            self._check()
            with suppress(Exception):  # the server may be busy
                status = str(self._session.get_job_meta(job).get("status", ""))
                if status.startswith(("FINISHED", "ABORTED", "ABANDONED")):
                    return
            if self._folder.is_done():
                continue
            seen = self._seen()
            back = [name for name, since in self._lost().items() if seen.get(name, 0) > since + 1]
            if back and not self._folder.regroup.is_file():
                self._progress.say(f"{', '.join(back)} is back; the round is finished, then the next job includes it")
                self._folder.regroup.write_text("", encoding="utf-8")

    def _lost(self) -> dict[str, float]:
        """Return the sites that the job has lost or never had, and since when."""
        with suppress(DataError, FileNotFoundError), refusing_damage(self._folder.away):
            return {str(name): float(since) for name, since in read_content(self._folder.away).items()}
        return {}

    def _show_log(self) -> None:
        """Show what the server's job has said since."""
        self._shown = show_lines(self._folder.log, self._shown, self._progress)
