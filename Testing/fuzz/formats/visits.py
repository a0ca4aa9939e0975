"""Tables of visits, and the mapping that names their columns."""

from pathlib import Path

from ..format import Format, pcr
from .bundles import write_visits


def _make(folder: Path) -> None:
    from support.follow_up.response_model import write_tiny_response

    write_tiny_response(folder / "bundle")
    write_visits(folder / "visits.csv")


def _words(inputs: Path, out: Path) -> list[object]:
    return ["follow", "--table", inputs / "visits.csv", "--model", inputs / "bundle", "--out", out]


FORMATS = (
    Format(
        "visits",
        _make,
        faces={"follow": pcr(_words), "init": pcr(lambda inputs, out: ["init", inputs / "visits.csv"])},
        targets=("visits.csv",),
        beside=("visits.json",),
    ),
)
