"""Models on disk: an image bundle and a response bundle, with checksums that fit the mutated files."""

from pathlib import Path

from ..format import Format, pcr


def _make(folder: Path) -> None:
    from support.models.tiny import write_tiny_bundle

    write_tiny_bundle(folder / "bundle")


def _make_response(folder: Path) -> None:
    from support.follow_up.response_model import write_tiny_response

    write_tiny_response(folder / "bundle")
    write_visits(folder / "visits.csv")


def write_visits(path: Path) -> None:
    """Write a table of twelve patients at four visits."""
    from support.response.visit_tables import simulate, write_csv

    write_csv(simulate(12), path)


def renew_checksums(folder: Path) -> None:
    """Write checksums that fit whatever the files of a bundle are now."""
    from PCRPredictorLib.bundles.folder import CHECKSUMS, checksums
    from PCRPredictorLib.writing import write_json

    write_json(checksums(folder / "bundle"), folder / "bundle" / CHECKSUMS)


FORMATS = (
    Format(
        "bundle",
        _make,
        faces={
            "verify": pcr(lambda inputs, out: ["bundle", "verify", inputs / "bundle"]),
            "info": pcr(lambda inputs, out: ["bundle", "info", inputs / "bundle"]),
        },
        targets=("bundle/configs/*.json", "bundle/docs/*", "bundle/models/fold_0.safetensors"),
        seal=renew_checksums,
    ),
    Format(
        "response",
        _make_response,
        faces={
            "verify": pcr(lambda inputs, out: ["bundle", "verify", inputs / "bundle"]),
            "info": pcr(lambda inputs, out: ["bundle", "info", inputs / "bundle"]),
            "follow": pcr(
                lambda inputs, out: [
                    *("follow", "--table", inputs / "visits.csv"),
                    *("--model", inputs / "bundle", "--out", out),
                ]
            ),
        },
        targets=("bundle/configs/*.json", "bundle/docs/*"),
        seal=renew_checksums,
    ),
)
