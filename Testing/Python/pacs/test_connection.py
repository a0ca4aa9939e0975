"""How a PACS is asked: secrets go to it alone, its answers are bounded, its certificate is checked."""

import base64
import gzip
import logging
from dataclasses import replace
from ssl import TLSVersion

import pytest
from PCRPredictorLib.pacs import connection as module
from PCRPredictorLib.pacs.configuration import Configuration
from PCRPredictorLib.pacs.connection import connect
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.studies import Query, find_studies
from support.pacs import faults
from support.pacs.certificates import write_certificate, write_clients
from support.pacs.connected import connected
from support.pacs.faulty_archive import Answer, Fault, faulty_archive

NOBODY = "http://127.0.0.1:9/dicom-web"  # no archive stands behind
EMPTY = Fault(faults.says_json([]))
TOKEN = "t0ken-t0ken"


def asked(folder, *given, client=None, certificate=None, clients=None, newest=TLSVersion.TLSv1_3, **content):
    """Ask a PACS that answers with a fault for its studies; (studies or the error, the requests' headers)."""
    headers = []

    def noted(happens):
        return lambda request: headers.append(request.headers) or happens(request)

    found = [Fault(noted(fault.happens), fault.where, fault.times, fault.after) for fault in given or (EMPTY,)]
    with faulty_archive(NOBODY, *found, certificate=certificate, clients=clients, newest=newest) as archive:
        own = {"certificate": str(client)} if client else {}
        note = connected(folder, archive.url, **{"timeout": 1, "retries": 0, **own, **content})
        try:
            return find_studies(note.connection, Query("a")), headers, archive
        except PacsError as error:
            assert TOKEN not in str(error)
            return error, headers, archive


def moved(to, status=302):
    return lambda _: Answer(status, {"Location": to, "Content-Type": "text/html"}, b"")


def test_a_token_is_sent_and_may_be_renewed_in_its_file(tmp_path):
    assert asked(tmp_path, token=TOKEN)[1][0]["Authorization"] == f"Bearer {TOKEN}"
    (tmp_path / "token.txt").write_text("old\n")
    with faulty_archive(NOBODY, EMPTY, token="new") as archive:
        note = connected(tmp_path, archive.url, token_file="token.txt", retries=0)
        with pytest.raises(PacsError, match="refuses the sign-in"):
            find_studies(note.connection)
        (tmp_path / "token.txt").write_text("new\n")
        assert find_studies(note.connection) == []


def test_user_and_password_are_sent(tmp_path):
    (tmp_path / "password.txt").write_text("pässword")
    header = asked(tmp_path, user="me", password_file="password.txt")[1][0]["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "me:pässword"


def test_without_a_secret_none_is_sent_also_not_that_of_a_netrc(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    found, headers, _ = asked(tmp_path)
    assert found == []
    assert "Authorization" not in headers[0]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_elsewhere_is_refused_and_nothing_goes_there(tmp_path, status):
    with faulty_archive(NOBODY, EMPTY) as other:
        error, _, _ = asked(tmp_path, Fault(moved(f"{other.url}/studies", status)), token=TOKEN)
        assert other.seen == []
    place = other.url.removesuffix("/dicom-web")
    assert f"sends to a different address, {place}; if that is right, give it as url" in str(error)


def test_a_redirection_to_the_same_place_is_followed(tmp_path):
    found, headers, archive = asked(tmp_path, Fault(moved("/dicom-web/other"), times=1), EMPTY, token=TOKEN)
    assert found == []
    assert archive.seen[1].startswith("GET /dicom-web/other")
    assert headers[1]["Authorization"] == f"Bearer {TOKEN}"


def test_a_certificate_is_checked(tmp_path):
    own = write_certificate(tmp_path)
    assert "name the file of its authority as ca" in str(asked(tmp_path, certificate=own)[0])
    assert asked(tmp_path, certificate=own, ca="certificate.pem")[0] == []
    expired = write_certificate(tmp_path, -1)
    assert "has a certificate that has expired" in str(asked(tmp_path, certificate=expired, ca="certificate.pem")[0])


@pytest.mark.parametrize("newest", [TLSVersion.TLSv1_3, TLSVersion.TLSv1_2])
def test_a_client_certificate_is_shown_and_what_is_wrong_with_it_is_named(tmp_path, newest):
    trusted, known = write_clients(tmp_path)
    server = {"certificate": write_certificate(tmp_path), "ca": "certificate.pem", "clients": trusted, "newest": newest}
    assert asked(tmp_path, **server, client=known["right"])[0] == []
    expected = {
        "wrong": "refuses the client certificate; check certificate and key in the configuration",
        "expired": "refuses the client certificate, which has expired; ask its administrator for a new one",
    }
    for name, sentence in expected.items():
        error = asked(tmp_path, **server, client=known[name])[0]
        assert sentence in str(error)
        assert not error.may_pass
    assert "a client certificate; " in str(asked(tmp_path, **server)[0])
    mixed = asked(tmp_path, **server, client=known["right"], key=str(known["wrong"]))[0]
    assert "do not belong together" in str(mixed)


def test_http_and_https_that_are_mixed_up_are_named(tmp_path):
    with faulty_archive(NOBODY, EMPTY) as archive:
        note = connected(tmp_path, archive.url.replace("http:", "https:"), retries=0)
        with pytest.raises(PacsError, match="does not speak https there; check scheme and port"):
            find_studies(note.connection)


def test_a_page_instead_of_an_answer_is_named(tmp_path):
    assert "answers with a web page; check that url" in str(asked(tmp_path, Fault(faults.refuses(200)))[0])


def test_an_answer_that_inflates_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ANSWER", 1 << 20)
    header = {"Content-Type": "application/dicom+json", "Content-Encoding": "gzip"}
    bomb = gzip.compress(b"[" + b" " * (64 << 20) + b"]")
    assert "answers with more than is read" in str(asked(tmp_path, Fault(lambda _: Answer(200, header, bomb)))[0])


def test_an_answer_that_comes_in_drops_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 1)
    header = {"Content-Type": "application/dicom+json"}
    slow = Fault(lambda _: Answer(200, header, b" " * 2000 + b"[]", drip=0.3))
    assert "does not answer in time" in str(asked(tmp_path, slow)[0])


@pytest.mark.parametrize("text", [b"[" * 100_000, b'[{"0020000D": {"Value": [', b"not JSON", b"\xff\xfe"])
def test_what_is_no_json_is_named(tmp_path, text):
    header = {"Content-Type": "application/dicom+json"}
    error = asked(tmp_path, Fault(lambda _: Answer(200, header, text)))[0]
    assert "no DICOM JSON" in str(error) or "cuts its answer off" in str(error)


def test_http_to_elsewhere_is_a_warning():
    said = []
    connect(Configuration("http://pacs.example/dicom-web"), said.append)
    assert said == ["warning: pacs.example is asked over http: others on the network can read what is sent"]
    connect(Configuration("https://pacs.example/dicom-web"), pytest.fail)
    connect(Configuration("http://127.0.0.1/dicom-web"), pytest.fail)


def test_host_and_port_are_named_to_the_pacs_and_in_messages(tmp_path):
    found, headers, archive = asked(tmp_path)
    assert found == []
    assert headers[0]["Host"] == archive.url.split("/")[2]
    assert connect(Configuration("http://[::1]:8042/dicom-web")).client.host == "[::1]:8042"


@pytest.mark.parametrize("happens", [faults.refuses(503), faults.hangs_up, faults.refuses(200)])
def test_nothing_is_logged(tmp_path, caplog, happens):
    found = Fault(lambda request: replace(happens(request), headers={"Warning": f"299 {TOKEN}"}))
    asked(tmp_path, found, token=TOKEN, retries=1)
    assert caplog.text == ""


def test_what_libraries_log_for_others_stays(tmp_path, caplog):
    caplog.set_level("DEBUG")
    logger = logging.getLogger("urllib3.connectionpool")
    level = logging.getLogger("urllib3").level
    assert asked(tmp_path)[0] == []
    assert not [record for record in caplog.records if record.name.startswith(("urllib3", "dicomweb_client"))]
    logger.warning("theirs")
    assert "theirs" in caplog.text
    assert logging.getLogger("urllib3").level == level
