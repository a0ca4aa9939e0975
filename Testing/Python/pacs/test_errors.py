"""What a PACS did not do: one sentence each with what to do, without address, query or secret."""

import io
import socket
import ssl

import pytest
import requests
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs.configuration import Configuration
from PCRPredictorLib.pacs.connection import connect
from PCRPredictorLib.pacs.errors import Cut, PacsError, TooMuch, WebPage, explain
from urllib3.exceptions import LocationParseError

SECRET = "http://pacs/studies?PatientName=SECRET"


def of(error, cause):
    """Return an error that was raised for another one."""
    error.__cause__ = cause
    return error


def status(code, page=b"", **headers):
    response = requests.Response()
    response.status_code, response.url, response.raw = code, SECRET, io.BytesIO(page)
    response.headers.update(headers)
    return requests.HTTPError(SECRET, response=response)


@pytest.mark.parametrize(
    ("error", "sentence", "may_pass"),
    [
        (of(requests.ConnectionError(SECRET), socket.gaierror(-2, SECRET)), "not found under that name", True),
        (of(requests.ConnectionError(SECRET), ConnectionRefusedError(SECRET)), "refuses the connection", True),
        (requests.ConnectionError(SECRET), "cuts the connection off", True),
        (Cut(SECRET), "cuts the connection off", True),
        (requests.exceptions.ChunkedEncodingError(SECRET), "cuts the connection off", True),
        (
            of(requests.exceptions.SSLError(SECRET), ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
            "ends TLS without a reason, maybe for a client certificate that is wrong or absent; check certificate and",
            False,
        ),
        (requests.ReadTimeout(SECRET), "does not answer in time", True),
        (of(requests.ConnectionError(SECRET), TimeoutError(SECRET)), "does not answer in time", True),
        (requests.exceptions.SSLError(f"certificate has expired {SECRET}"), "certificate that has expired", False),
        (
            of(requests.ConnectionError(), ssl.SSLError(1, "self-signed certificate")),
            "name the file of .* as ca",
            False,
        ),
        (of(requests.ConnectionError(), ssl.SSLError(1, "certificate required")), "wants a client certificate", False),
        (
            of(requests.ConnectionError(), ssl.SSLError(1, "WRONG_VERSION_NUMBER wrong version")),
            "not speak https",
            False,
        ),
        (requests.exceptions.SSLError(SECRET), r"cannot be reached safely \(TLS\)", False),
        (requests.exceptions.ProxyError(SECRET), "through the proxy", True),
        (TooMuch("over 1 MB"), r"more than is read \(over 1 MB\)", False),
        (WebPage(), "answers with a web page", False),
        (requests.JSONDecodeError("x", '[{"00', 3), "cuts its answer off", True),
        (requests.JSONDecodeError("x", SECRET, 3), "no DICOM JSON", False),
        (ValueError(SECRET), "no DICOM JSON", False),
        (status(400), r"does not understand the request \(400\); check", False),
        (
            status(400, b"<title>400 No required SSL certificate was sent"),
            r"wants a client certificate \(400\); name",
            False,
        ),
        (status(400, b"<title>400 The SSL certificate error"), r"refuses the client certificate \(400\); check", False),
        (status(496), r"wants a client certificate \(496\); name", False),
        (status(401), r"refuses the sign-in \(401\); check token", False),
        (status(403), r"does not allow this to the account \(403\); ask", False),
        (status(404), r"has nothing there \(404\); check that url .* DICOMweb root", False),
        (status(409), r"does not accept the objects \(409\)", False),
        (status(413), r"objects of that size \(413\)", False),
        (status(418), r"does not do this \(418\)", False),
        (status(503), r"has a problem \(503\); try again later", True),
        (status(507), r"is full \(507\); free some space", True),
        (requests.exceptions.InvalidURL(SECRET), "address that cannot be used; check url and proxy", False),
        (requests.exceptions.InvalidSchema(SECRET), "address that cannot be used", False),
        (LocationParseError(SECRET), "address that cannot be used", False),
        (requests.exceptions.InvalidProxyURL(SECRET), "through the proxy; check proxy", True),
        (RuntimeError(SECRET), "cannot be used in this way", False),
    ],
)
def test_a_failure_is_one_sentence(error, sentence, may_pass):
    found = explain(error, "pacs.example")
    assert found.may_pass is may_pass
    with pytest.raises(PacsError, match=f"^the PACS at pacs.example .*{sentence}"):
        raise found
    assert "; " in str(found)
    assert "SECRET" not in str(found)


def test_the_time_that_a_pacs_asks_for_is_kept():
    assert explain(status(503, **{"Retry-After": "7"}), "here").wait == 7
    assert explain(status(503, **{"Retry-After": "²"}), "here").wait == 0
    assert explain(status(503, **{"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), "here").wait == 0


def test_errors_in_loops_of_causes_end():
    one = requests.ConnectionError()
    of(one, of(requests.ConnectionError(), one))
    assert "cuts the connection off" in str(explain(one, "here"))


def attempts(failures, retries=3):
    """Run an action that fails some times; what came of it, what was said and the waits in seconds."""
    said, waited, left = [], [], list(failures)

    def action():
        if left:
            raise left.pop(0)
        return "done"

    connection = connect(Configuration("https://pacs.example", retries=retries), said.append, waited.append)
    try:
        return connection.attempt(action), said, waited
    except DataError as error:
        return error, said, waited


def test_what_may_pass_is_tried_again_after_longer_and_longer_waits():
    found, said, waited = attempts([requests.ReadTimeout(), status(503), Cut()])
    assert (found, waited) == ("done", [1, 2, 4])
    assert said[0].endswith("; attempt 2 of 4 in 1 s")


def test_attempts_end_with_the_last_reason():
    found, _, waited = attempts([status(503)] * 9)
    assert waited == [1, 2, 4]
    assert "has a problem" in str(found)
    assert attempts([status(503)] * 9, retries=0)[2] == []


def test_what_does_not_pass_is_not_tried_again():
    found, said, waited = attempts([status(401)])
    assert (said, waited) == ([], [])
    assert "refuses the sign-in" in str(found)


def test_a_pacs_says_how_long_to_wait_within_limits():
    assert attempts([status(503, **{"Retry-After": "9"}), status(503, **{"Retry-After": "99999"})])[2] == [9, 30]


@pytest.mark.parametrize("error", [OSError(28, "No space left"), MemoryError()])
def test_this_computer_s_own_troubles_are_not_the_pacs_s(error):
    connection = connect(Configuration("https://pacs.example"), wait=pytest.fail)
    with pytest.raises(type(error)):
        connection.attempt(lambda: (_ for _ in ()).throw(error))
