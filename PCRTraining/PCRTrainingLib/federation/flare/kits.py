"""Certificates and startup kits of a federation, by NVIDIA FLARE's provisioning. Needs the optional package nvflare.

A kit holds a private key: it goes to its hospital by a safe way, and to no other.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from nvflare.lighter.prov_utils import prepare_builders, prepare_packager
from nvflare.lighter.provision import prepare_project
from nvflare.lighter.provisioner import Provisioner
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import write_whole_json

from .job import allowed_classes

ADMIN, ORGANISATION, PROJECT = "admin@breastpcr.org", "breastpcr", "breastpcr"
AGREED = "breastpcr.json"  # in a kit: name of the site, and what it accepts by joining
_IMPL = "nvflare.lighter.impl"
_CERTIFICATE_DAYS = 360
_SENDS_LOGS = ("site_log_streamer", "log_streamer")


def make_kits(
    folder: Path, host: str, port: int, sites: Sequence[str], agreed: Mapping[str, object]
) -> dict[str, Path]:
    """Return the kits of server, administrator and sites, by name; they are made once.

    Args:
        folder: of the kits.
        host: name or address under which the sites reach the server; its certificate is for this name.
        port: of the server.
        sites: names.
        agreed: what the sites accept, see `Task.agreed`.

    Raises:
        DataError: if FLARE refuses a name.
    """
    names = {"server": host, "admin": ADMIN, **{site: site for site in sites}}
    kits = {key: folder / name for key, name in names.items()}
    if all(kit.is_dir() for kit in kits.values()):
        return kits
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # private keys
    workspace = folder / "provisioning"
    try:
        _provision(workspace, host, port, sites)
    except (ValueError, RuntimeError) as error:
        raise DataError(f"sites and host must be names that FLARE accepts ({error}); change the name") from None
    made = sorted((workspace / PROJECT).glob("prod_*"))[-1]
    for key, name in names.items():
        shutil.copytree(made / name, kits[key], dirs_exist_ok=True)
        if key != "admin":
            _finish_kit(kits[key])
        if key in sites:
            write_whole_json({"site": key, "agreed": agreed}, kits[key] / AGREED)
    return kits


def _provision(workspace: Path, host: str, port: int, sites: Sequence[str]) -> None:
    """Write certificates and kits. Raises ValueError or RuntimeError."""
    server = {"name": host, "type": "server", "org": ORGANISATION, "fed_learn_port": port, "admin_port": port}
    admin = {"name": ADMIN, "type": "admin", "org": ORGANISATION, "role": "project_admin"}
    clients = [{"name": site, "type": "client", "org": ORGANISATION} for site in sites]
    project = {
        "api_version": 3,
        "name": PROJECT,
        "description": "BreastPCR across hospitals",
        "participants": [server, *clients, admin],
        "gen_scripts": False,
        "builders": [
            {"path": f"{_IMPL}.workspace.WorkspaceBuilder", "args": {"template_file": ["master_template.yml"]}},
            {"path": f"{_IMPL}.static_file.StaticFileBuilder", "args": {"config_folder": "config"}},
            {"path": f"{_IMPL}.cert.CertBuilder", "args": {"root_valid_days": _CERTIFICATE_DAYS}},
            {"path": f"{_IMPL}.signature.SignatureBuilder", "args": {}},
        ],
    }
    found = Provisioner(str(workspace), prepare_builders(project), prepare_packager(project)).provision(
        prepare_project(project)
    )
    if isinstance(found, dict) and found.get("build_error"):
        raise RuntimeError("; ".join(map(str, found.get("errors", []))) or "provisioning failed")


def _finish_kit(kit: Path) -> None:
    """Let the machine build our components and no others, keep its files in the kit, and run no code that is sent."""
    local = kit / "local"
    resources = json.loads((local / "resources.json.default").read_text(encoding="utf-8"))
    resources["class_allow_list"] = list(allowed_classes())
    if "client" in resources:  # FLARE would send the site's logs to the server
        resources["allow_log_streaming"] = False
        resources["components"] = [each for each in resources["components"] if each["id"] not in _SENDS_LOGS]
    if "snapshot_persistor" in resources:
        storage = resources["snapshot_persistor"]["args"]["storage"]["args"]
        storage["root_dir"] = str(kit.resolve() / "snapshots")
        resources["servers"][0]["heart_beat_timeout"] = 60
        for component in resources["components"]:
            if component["id"] == "job_manager":
                component["args"]["uri_root"] = str(kit.resolve() / "jobs")
    write_whole_json(resources, local / "resources.json")
    permissions = json.loads((local / "authorization.json.default").read_text(encoding="utf-8"))
    for role, rights in permissions["permissions"].items():
        if rights == "any":
            permissions["permissions"][role] = {
                **dict.fromkeys(("submit_job", "clone_job", "manage_job", "download_job", "view", "operate"), "any"),
                **dict.fromkeys(("shell_commands", "byoc", "server-predeployed-flwr"), "none"),
            }
        elif "byoc" in rights:
            rights["byoc"] = rights["shell_commands"] = "none"
    write_whole_json(permissions, local / "authorization.json")
