"""The configuration of a PACS: what is refused, and that no secret is in any message."""

import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs.configuration import VARIABLE, configuration_file, read_configuration
from support.pacs.connected import write_configuration

URL = "https://pacs.example/dicom-web"
SECRET = "s3cret-w0rd"


def refused(folder, message, **content):
    """Check that a configuration is refused in one sentence without its secrets."""
    with pytest.raises(DataError, match=message) as caught:
        read_configuration(write_configuration(folder, **content))
    assert SECRET not in str(caught.value)


def test_a_url_is_enough(tmp_path):
    found = read_configuration(write_configuration(tmp_path, url=f"{URL}/"))
    assert (found.url, found.place, found.signs_in, found.is_open) == (URL, "pacs.example", False, False)


def test_files_lie_beside_the_configuration_and_secrets_are_not_shown(tmp_path):
    (tmp_path / "token.txt").write_text(f"{SECRET}\n")
    found = read_configuration(write_configuration(tmp_path, url=URL, token_file="token.txt"))
    assert found.token_file == tmp_path / "token.txt"
    shown = read_configuration(write_configuration(tmp_path, url=URL, token=SECRET, proxy=f"http://a:{SECRET}@proxy"))
    assert SECRET not in repr(found) + repr(shown)


def test_the_environment_names_the_file_that_is_not_given(tmp_path, monkeypatch):
    path = write_configuration(tmp_path, url=URL)
    monkeypatch.setenv(VARIABLE, str(path))
    assert read_configuration().url == URL
    assert configuration_file(tmp_path / "other.json") == tmp_path / "other.json"
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(DataError, match=f"no PACS is configured; give a file in JSON .* {VARIABLE}"):
        read_configuration()


@pytest.mark.parametrize("text", [f'{{"token": "{SECRET}', f'["{SECRET}"]', "", f'{{"token": NaN, "x": "{SECRET}"}}'])
def test_what_is_no_json_is_not_quoted(tmp_path, text):
    (tmp_path / "pacs.json").write_text(text)
    with pytest.raises(DataError, match=r"pacs.json: must be .*JSON; give a file in JSON") as caught:
        read_configuration(tmp_path / "pacs.json")
    assert SECRET not in str(caught.value)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(DataError, match=r"none.json: cannot be read \(No such file or directory\); give a file"):
        read_configuration(tmp_path / "none.json")


@pytest.mark.parametrize(
    "url", ["", "pacs.example", "ftp://pacs.example", "https://", "http://a b/", "https://pacs:port/", f"{URL}?a=1", 7]
)
def test_what_is_no_address_is_refused(tmp_path, url):
    refused(tmp_path, "must hold url|url must be", url=url)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"tokken": SECRET}, "must not hold tokken; it may hold url, token"),
        ({"token": 5}, "token must be text; correct it"),
        ({"token": f"{SECRET}\nHost: x"}, "the token must be one line of English characters"),
        ({"token": SECRET, "user": "me"}, "either a token, or user and password_file"),
        ({"user": "me"}, "user and password_file belong together"),
        ({"token_file": "none.txt"}, "token_file must name a file, got .*none.txt"),
        ({"retries": -1}, "retries must be a number from 0 to 20"),
        ({"timeout": "10"}, "timeout must be a number from 1 to 600"),
        ({"allow_http": "yes"}, "allow_http must be true or false"),
    ],
)
def test_a_wrong_value_is_named_and_not_quoted(tmp_path, content, message):
    refused(tmp_path, message, url=URL, **content)


def test_user_and_password_in_the_address_are_refused(tmp_path):
    refused(tmp_path, "url must not hold user and password", url=f"https://me:{SECRET}@pacs.example/dicom-web")


def test_a_secret_is_not_sent_over_http_unless_that_is_allowed_or_stays_here(tmp_path):
    refused(tmp_path, "must not be sent over http", url="http://pacs.example/dicom-web", token=SECRET)
    for url in ("http://127.0.0.1:8042/dicom-web", "http://localhost/dicom-web", "http://[::1]:8042/dicom-web"):
        assert read_configuration(write_configuration(tmp_path, url=url, token=SECRET)).signs_in
    allowed = write_configuration(tmp_path, url="http://pacs.example/dicom-web", token=SECRET, allow_http=True)
    assert read_configuration(allowed).is_open


@pytest.mark.parametrize("content", [b"", b"one\ntwo\n", b"\xff\xfe", b"x" * 20_000])
def test_a_file_that_holds_no_secret_is_refused(tmp_path, content):
    (tmp_path / "password.txt").write_bytes(content)
    refused(tmp_path, "password.txt: must hold one line", url=URL, user="me", password_file="password.txt")


def test_an_encrypted_key_is_refused_rather_than_asked_for(tmp_path):
    for name in ("certificate.pem", "key.pem"):
        (tmp_path / name).write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    refused(tmp_path, "key without a password", url=URL, certificate="certificate.pem", key="key.pem")
    refused(tmp_path, "key belongs to certificate", url=URL, key="key.pem")


def test_the_format_is_plain_json(tmp_path):
    path = write_configuration(tmp_path, url=URL, retries=2, timeout=5)
    assert json.loads(path.read_text()) == {"url": URL, "retries": 2, "timeout": 5}
    found = read_configuration(path)
    assert (found.retries, found.timeout) == (2, 5)
