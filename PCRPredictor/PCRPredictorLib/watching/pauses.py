"""Growing pauses before something is tried again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

FIRST_S, LONGEST_S = 5.0, 600.0
LONGEST_OF_STUDY_S = 3600.0  # trying a study again fetches it again


@dataclass
class Pauses:
    """The pauses of several things by name; each pause is twice as long as the one before.

    Args:
        clock: seconds.
        longest: seconds of a pause.
    """

    clock: Callable[[], float]
    longest: float = LONGEST_S
    _until: dict[str, tuple[float, float]] = field(default_factory=dict)

    def is_paused(self, name: str) -> bool:
        """Return True if it is not yet to be tried again."""
        return self.clock() < self._until.get(name, (0.0, 0.0))[0]

    def lengthen(self, name: str) -> float:
        """Begin the next pause and return its seconds."""
        before = self._until.get(name, (0.0, 0.0))[1]
        seconds = min(2 * before, self.longest) if before else FIRST_S
        self._until[name] = self.clock() + seconds, seconds
        return seconds

    def end(self, name: str) -> float:
        """Forget the pauses of one; return 0."""
        self._until.pop(name, None)
        return 0.0

    def keep(self, names: Collection[str]) -> None:
        """Forget all others."""
        self._until = {name: pause for name, pause in self._until.items() if name in names}
