import pytest
from PCRPredictorLib.reading.labels import parse_label, parse_labels


def test_minus_is_read_beside_plus_only():
    assert parse_labels(["+", "-", "–", ""]) == ([1, 0, 0, None], {})
    labels, reasons = parse_labels(["1", "-", "0"])
    assert labels == [1, None, 0]
    assert reasons == {
        1: "pcr must not be '-' in a column without '+', as that may mean negative or missing; write 0, or nothing"
    }


@pytest.mark.parametrize(
    ("text", "label"),
    [
        *((text, 1) for text in ("1.0", " true ", "Ja", "oui", "Sí", "да", "是", "はい", "EVET", "+", "pos.", "pCR")),
        *((text, 0) for text in ("0", "0,0", "FALSE", "Nein", "não", "нет", "否", "hayır", "negativ", "non-pCR")),
        *((text, None) for text in ("", "nan", "n/a", "unbekannt", "k.A.", "未知", "?", ".")),
    ],
)
def test_labels_are_read_as_tables_write_them(text, label):
    assert parse_label(text) == label
