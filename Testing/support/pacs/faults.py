"""What a PACS can answer instead of what was asked for."""

import json
import re
from dataclasses import replace

from support.pacs.faulty_archive import Answer, Request


def refuses(status: int, body: str = "<html><h1>SECRET^PATIENT was refused</h1></html>", **headers: str):
    """Answer with a status and a page for people, whatever is asked."""
    return lambda _: Answer(status, {"Content-Type": "text/html", **headers}, body.encode())


def changes(**how: object):
    """Answer what the archive does, with other fields of `Answer`, such as `pause=5`."""
    return lambda request: replace(request.passed_on(), **how)


def says_json(content: object):
    """Answer with JSON, whatever is asked."""
    return lambda _: Answer(200, {"Content-Type": "application/dicom+json"}, json.dumps(content).encode())


def hangs_up(_: Request) -> Answer:
    """Close the connection without an answer."""
    raise ConnectionResetError


def drops_parts(kept: int):
    """Answer with the first parts of a multipart message alone, as if they were all."""

    def happens(request: Request) -> Answer:
        answer = request.passed_on()
        boundary = re.search('boundary="?([^";]+)', answer.headers["Content-Type"])[1].encode()
        parts = answer.body.split(b"--" + boundary)
        return replace(answer, body=(b"--" + boundary).join([*parts[: kept + 1], b"--\r\n"]))

    return happens


def sends_for_ever(_: Request) -> Answer:
    """Answer with parts that never end and hold nothing."""
    part = b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + bytes(4096)
    return Answer(200, {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}, part, endless=True)


def stores_none(reason: int = 0xA700, status: int = 409):
    """Store nothing, and name every object as failed: 0xA700 is "out of resources" (PS3.18, 10.5.3)."""

    def happens(request: Request) -> Answer:
        failed = [_failed(sop_class, instance, reason) for sop_class, instance in _instances_in(request.body)]
        content = {"00081198": {"vr": "SQ", "Value": failed}}
        return Answer(status, {"Content-Type": "application/dicom+json"}, json.dumps(content).encode())

    return happens


def _failed(sop_class: str, instance: str, reason: int) -> dict:
    return {
        "00081150": {"vr": "UI", "Value": [sop_class]},
        "00081155": {"vr": "UI", "Value": [instance]},
        "00081197": {"vr": "US", "Value": [reason]},
    }


def _instances_in(body: bytes) -> list[tuple[str, str]]:
    """Return class and UID of the objects in a message, from their file meta information."""
    found = re.findall(rb"\x02\x00\x02\x00UI..([\d.]+)\x00?\x02\x00\x03\x00UI..([\d.]+)", body, re.DOTALL)
    return [(sop_class.decode(), instance.decode()) for sop_class, instance in found]
