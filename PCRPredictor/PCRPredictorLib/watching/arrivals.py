"""Studies that are still arriving: a study is predicted once nothing of it has changed for a while."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field


@dataclass
class Arrivals:
    """What each study looked like, and since when.

    Args:
        settle: seconds for which a study must not change.
        clock: of the seconds.
    """

    settle: float
    clock: Callable[[], float]
    _since: dict[str, tuple[str, float]] = field(default_factory=dict)

    def has_settled(self, study: str, fingerprint: str) -> bool:
        """Return True if a study has looked like this for long enough; note what it looks like."""
        before, since = self._since.get(study, ("", 0.0))
        if before != fingerprint:
            since = self.clock()
            self._since[study] = fingerprint, since
        return self.clock() - since >= self.settle

    def restart(self) -> None:
        """Begin to wait anew for every study: nothing could arrive while the PACS was away."""
        self._since = {study: (seen, self.clock()) for study, (seen, _) in self._since.items()}

    def keep(self, studies: Collection[str]) -> None:
        """Forget all other studies."""
        self._since = {study: seen for study, seen in self._since.items() if study in studies}
