"""Certificates of servers on this machine, and of their clients."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest


def write_certificate(folder: Path, days: int = 1, name: str = "127.0.0.1") -> Path:
    """Write a key and a certificate of 127.0.0.1 that signs itself, in one PEM file; negative days: it expired.

    Args:
        name: of its owner, by which authorities are found; that of a client is free.
    """
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(owner, owner, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


def write_clients(folder: Path) -> tuple[Path, dict[str, Path]]:
    """Write certificates of clients, and those that a server trusts in one PEM file.

    Returns:
        That file, and the files of the clients with a right, a wrong and an expired one.
    """
    found = {}
    for name, days in (("right", 1), ("wrong", 1), ("expired", -1)):
        (folder / name).mkdir()
        found[name] = write_certificate(folder / name, days, name)
    trusted = folder / "trusted.pem"
    known = (found[name].read_text() for name in ("right", "expired"))
    trusted.write_text(
        "".join("-----BEGIN CERTIFICATE" + text.partition("-----BEGIN CERTIFICATE")[2] for text in known)
    )
    return trusted, found
