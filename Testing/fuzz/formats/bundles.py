"""Models on disk: an image bundle, a response bundle and a zip file, with checksums that fit the mutated files."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from ..format import Attack, Format, library, pcr

_MANY = 10**9
_EVIL = "[/red] [link=file:///x]\x1b[2J\u202e <script>alert(1)</script> [x](javascript:alert(1)) =1+1"


def _make(folder: Path) -> None:
    from support.cohort_files import write_patient, write_table
    from support.models.tiny import write_tiny_bundle

    write_tiny_bundle(folder / "bundle")
    write_patient(folder / "cohort", "P1")
    write_table(folder / "cohort", "patient_id,age,hr\nP1,50,1\n")


def _make_response(folder: Path) -> None:
    from support.follow_up.response_model import write_tiny_response

    write_tiny_response(folder / "bundle")
    write_visits(folder / "visits.csv")


def _make_zip(folder: Path) -> None:
    from PCRPredictorLib.bundles.export import export_bundle
    from support.follow_up.response_model import write_tiny_response

    export_bundle(write_tiny_response(folder / "bundle"), folder / "tiny.zip")


def write_visits(path: Path) -> None:
    """Write a table of twelve patients at four visits."""
    from support.response.visit_tables import simulate, write_csv

    write_csv(simulate(12), path)


def renew_checksums(folder: Path) -> None:
    """Write checksums that fit whatever the files of a bundle are now."""
    from PCRPredictorLib.bundles.folder import CHECKSUMS, checksums
    from PCRPredictorLib.writing import write_json

    if not (folder / "unsealed").exists():
        write_json(checksums(folder / "bundle"), folder / "bundle" / CHECKSUMS)


def _install(inputs: Path, out: Path) -> None:
    from PCRPredictorLib.model.store import add_model

    add_model(inputs / "tiny.zip", out)


def _list(inputs: Path, out: Path) -> None:
    from PCRPredictorLib.model.store import list_models
    from PCRPredictorLib.session.model_choice import ModelChoice

    choice = ModelChoice()
    for model in list_models(inputs):
        choice.choose(model.path)
        assert "<script" not in choice.describe(str) + choice.describe_briefly(str)


def _json(name: str, *places: str | int, value: object) -> Attack:
    """Return the attack that puts a value at a place of a JSON file of the bundle."""

    def attack(folder: Path) -> None:
        path = folder / "bundle" / "configs" / name
        content = json.loads(path.read_text(encoding="utf-8"))
        *parents, last = places
        part = content
        for place in parents:
            part = part[place]
        part[last] = value
        path.write_text(json.dumps(content), encoding="utf-8")

    return attack


def _text(name: str, text: str) -> Attack:
    return lambda folder: (folder / "bundle" / name).write_text(text, encoding="utf-8") and None


def _weights(change: Callable[[bytes], bytes]) -> Attack:
    def attack(folder: Path) -> None:
        path = folder / "bundle" / "models" / "fold_0.safetensors"
        path.write_bytes(change(path.read_bytes()))

    return attack


def _tensors(change: Callable[[dict], dict]) -> Attack:
    def attack(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        path = folder / "bundle" / "models" / "fold_0.safetensors"
        save_file(change(load_file(path)), path)

    return attack


def _link(folder: Path) -> None:
    file = folder / "bundle" / "docs" / "README.md"
    file.unlink()
    file.symlink_to("/etc/hostname")


def _link_to_folder(folder: Path) -> None:
    (folder / "bundle" / "more").symlink_to("/etc")


def _endless(folder: Path) -> None:
    (folder / "bundle" / "docs" / "README.md").unlink()
    (folder / "bundle" / "docs" / "README.md").symlink_to("/dev/zero")
    (folder / "unsealed").touch()


def _many_files(folder: Path) -> None:
    for number in range(1200):
        (folder / "bundle" / "docs" / f"{number}.md").touch()


def _large(folder: Path) -> None:
    with (folder / "bundle" / "docs" / "README.md").open("wb") as file:
        file.truncate(2**33)  # sparse
    (folder / "unsealed").touch()


def _unlisted_weights(folder: Path) -> None:
    (folder / "bundle" / "models" / ".fold_9.safetensors").write_bytes(b"not listed in the checksums")


def _zip(*files: tuple[str, bytes], keep: bool = True) -> Attack:
    """Return the attack of a zip file with more entries."""

    def attack(folder: Path) -> None:
        with zipfile.ZipFile(folder / "tiny.zip", "a" if keep else "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in files:
                file.writestr(name, content)

    return attack


def _zip_bytes(change: Callable[[bytes], bytes]) -> Attack:
    return lambda folder: (folder / "tiny.zip").write_bytes(change((folder / "tiny.zip").read_bytes())) and None


def _lie(content: bytes) -> bytes:
    """Return a zip file whose first entry says that it is 4 GB, or one byte, large."""
    place = content.index(b"PK\x01\x02") + 24
    return content[:place] + struct.pack("<I", 1) + content[place + 4 :]


_WIDE = {"x": 10**400}
BUNDLE_ATTACKS: dict[str, Attack] = {
    "weights are empty": _weights(lambda _: b""),
    "weights are cut": _weights(lambda content: content[: len(content) // 2]),
    "weights have a header of 2^60 bytes": _weights(lambda content: struct.pack("<Q", 2**60) + content[8:]),
    "weights are a text": _weights(lambda _: b"not weights at all, but long enough to have a header length"),
    "weights are a pickle": _weights(lambda _: b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR."),
    "weights are nan": _tensors(lambda found: {name: tensor * float("nan") for name, tensor in found.items()}),
    "weights are huge": _tensors(
        lambda found: {name: t * 1e38 if t.is_floating_point() else t for name, t in found.items()}
    ),
    "weights lack a tensor": _tensors(lambda found: dict(list(found.items())[1:])),
    "weights are of a different shape": _tensors(lambda found: {name: tensor[None] for name, tensor in found.items()}),
    "variances are negative": _tensors(
        lambda found: {name: -t if name.endswith("running_var") else t for name, t in found.items()}
    ),
    "weights that the checksums do not list": _unlisted_weights,
    "calibration is nan": _text("configs/inference.json", '{"network": {}, "calibration": [NaN, 0]}'),
    "calibration is a text": _json("inference.json", "calibration", value="10"),
    "calibration has one number": _json("inference.json", "calibration", value=[1.0]),
    "no operating point": _json("inference.json", "operating_points", value=[]),
    "threshold is a text": _json("inference.json", "operating_points", 0, "threshold", value="0.5"),
    "threshold is beyond 1": _json("inference.json", "operating_points", 0, "threshold", value=1e300),
    "name of an operating point is markup": _json("inference.json", "operating_points", 0, "name", value=_EVIL),
    "grid of 20000 x 2000": _json("inference.json", "grid", value={"size": 20000, "slices": 2000}),
    "grid of nothing": _json("inference.json", "grid", value={"size": 0, "slices": 0, "window": 0}),
    "window of 1e300 mm": _json("inference.json", "grid", "window", value=1e300),
    "100,000 flips": _json("inference.json", "flips", value=[[0, 2]] * 100_000),
    "flips of no axis": _json("inference.json", "flips", value=[[7]]),
    "network of a billion channels": _json("inference.json", "network", "widths", value=[_MANY, _MANY, _MANY]),
    "network of another class": _json("inference.json", "network", "_target_", value="os.system"),
    "backbone of another package": _json("inference.json", "network", "backbone", value="os.system"),
    "network of other clinical inputs": _json("inference.json", "network", "clinical_inputs", value=1999),
    "network without attention": _json("inference.json", "network", "attention", value=False),
    "ranges of an unknown quantity": _json("inference.json", "familiar", 0, "quantity", value="soul"),
    "times of an unknown phase": _json("inference.json", "times", 0, "phase", value="never"),
    "numbers of 400 digits": _json("inference.json", "base_rate", value=10**400),
    "inference of 200,000 brackets": _text("configs/inference.json", "[" * 200_000),
    "inference is empty": _text("configs/inference.json", ""),
    "metadata of 200,000 brackets": _text("configs/metadata.json", '{"card":' + "[" * 200_000),
    "metadata of 900 brackets": _text("configs/metadata.json", '{"card":' + "[" * 900 + "]" * 900 + "}"),
    "metadata with a number of 5000 digits": _text("configs/metadata.json", '{"breastpcr_format": ' + "1" * 5000 + "}"),
    "metadata is a list": _text("configs/metadata.json", "[]"),
    "metadata is not text": lambda folder: (
        (folder / "bundle/configs/metadata.json").write_bytes(b"\xff\xfe\xd8") and None
    ),
    "kind of model is a list": _json("metadata.json", "kind", value=[]),
    "card is markup": _json("metadata.json", "card", "description", value=_EVIL),
    "name of the model is markup": _json("metadata.json", "card", "name", value=_EVIL),
    "name of the model has a million letters": _json("metadata.json", "card", "name", value="A" * 10**6),
    "card is a number": _json("metadata.json", "card", value=5),
    "metrics are a list": _json("metadata.json", "card", "metrics", value=["auc"]),
    "metrics are huge": _json("metadata.json", "card", "metrics", value={"out of fold": {"auc": _WIDE}}),
    "subgroups lack their numbers": _json("metadata.json", "card", "subgroups", value={"hr: positive": {}}),
    "schema without a scale": _json("metadata.json", "clinical_schema", 0, "sd", value=0),
    "schema with a variable twice": _json("metadata.json", "clinical_schema", 1, "name", value="AGE"),
    "schema measures what nobody knows": _json("metadata.json", "clinical_schema", 0, "measured", value=True),
    "schema with markup": _json("metadata.json", "clinical_schema", 0, "label", value=_EVIL),
    "schema is a text": _json("metadata.json", "clinical_schema", value="age"),
    "checksums are a list": lambda folder: (
        (folder / "bundle/checksums.json").write_text("[]") and (folder / "unsealed").touch()
    ),
    "a link that leaves the folder": _link,
    "a link to a folder elsewhere": _link_to_folder,
    "a link to an endless file": _endless,
    "1,200 files": _many_files,
    "a file of 8 GB": _large,
    "marks of patients are numbers": _text("configs/training_images.json", '{"fingerprints": 5, "patients": [{}]}'),
    "distribution of training patients is broken": _text("configs/training_distribution.json", '{"variables": [[1]]}'),
    "recalibration is empty": _text("configs/recalibration.json", "{}"),
}
RESPONSE_ATTACKS: dict[str, Attack] = {
    "fits are nan": _text("configs/inference.json", '{"formulas": [{"fits": [{"constant": NaN}]}]}'),
    "weights are huge": _json("inference.json", "formulas", 0, "fits", 0, "constant", value=1e300),
    "weights have 400 digits": _json("inference.json", "formulas", 0, "fits", 0, "constant", value=10**400),
    "no formula": _json("inference.json", "formulas", value=[]),
    "no operating point": _json("inference.json", "formulas", 0, "operating_points", value=[]),
    "calibration is negative": _json("inference.json", "formulas", 0, "calibration", value=[-1, 0]),
    "bands are huge": _json("inference.json", "bands", "bands", value=[["a", "T0", True, 1e300, 2, 3, 40]]),
    "costs are of nothing": _json("inference.json", "costs", value=[{"visits": ["T9"], "quantities": []}]),
    "covariance is negative": _json("inference.json", "filling", "covariance", 0, 0, value=-1e5),
    "base rate is 7": _json("inference.json", "base_rate", value=7),
    "card is markup": _json("metadata.json", "card", "description", value=_EVIL),
    "name of the model is markup": _json("metadata.json", "card", "name", value=_EVIL),
    "marks of patients are numbers": _text("configs/training_patients.json", '{"patients": [{}]}'),
    "a mark of a patient is a number": _text("configs/training_patients.json", '{"patients": [1e-12]}'),
    "marks of patients are missing": _text("configs/training_patients.json", "{}"),
    "inference of 200,000 brackets": _text("configs/inference.json", "[" * 200_000),
    "format of a later version": _json("metadata.json", "response_format", value=[9] * 1000),
}
ZIP_ATTACKS: dict[str, Attack] = {
    "no zip": _zip_bytes(lambda _: b"PK\x03\x04 and nothing more"),
    "cut": _zip_bytes(lambda content: content[: len(content) // 2]),
    "a size that is not true": _zip_bytes(_lie),
    "a name that leads out": _zip(("../../pwned", b"x")),
    "an absolute name": _zip(("/tmp/pwned", b"x")),
    "a bomb": _zip(*((f"tiny/docs/{k}.md", bytes(2**26)) for k in range(9))),
    "5,000 files": _zip(*((f"tiny/docs/{k}.md", b"") for k in range(5000))),
    "two bundles": _zip(("other/configs/metadata.json", b"{}")),
    "no bundle": _zip(("a.txt", b""), keep=False),
    "encrypted": _zip_bytes(
        lambda content: content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    ),
    "an unknown compression": _zip_bytes(lambda content: content.replace(b"\x00\x00\x08\x00", b"\x00\x00\x63\x00")),
    "a name of dots": lambda folder: (folder / "tiny.zip").unlink(),
}
FORMATS = (
    Format(
        "bundle",
        _make,
        faces={
            "verify": pcr(lambda inputs, out: ["bundle", "verify", inputs / "bundle"]),
            "info": pcr(lambda inputs, out: ["bundle", "info", inputs / "bundle"]),
            "predict": pcr(
                lambda inputs, out: [
                    *("predict", "--workers", 1, "--cohort", inputs / "cohort"),
                    *("--model", inputs / "bundle", "--out", out),
                ]
            ),
            "panel and page": library(_list),
        },
        attacks=BUNDLE_ATTACKS,
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
        attacks=RESPONSE_ATTACKS,
        targets=("bundle/configs/*.json", "bundle/docs/*"),
        seal=renew_checksums,
    ),
    Format(
        "zip",
        _make_zip,
        faces={"install": library(_install)},
        attacks=ZIP_ATTACKS,
        targets=("tiny.zip",),
        check=lambda inputs, out, code: (
            "leaves a part of a bundle" if code and out.is_dir() and any(out.iterdir()) else ""
        ),
    ),
)
