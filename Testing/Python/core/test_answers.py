from itertools import combinations

import pytest
from PCRPredictorLib.answers import _ANSWERS as ANSWERS
from PCRPredictorLib.answers import fold, read_word

YES = ["yes", "ja", "oui", "sí", "sim", "da", "tak", "evet", "да", "ναι", "是", "はい", "예", "نعم", "igen", "ano"]
NO = ["no", "nein", "non", "não", "nie", "nee", "nej", "hayır", "нет", "όχι", "否", "いいえ", "아니오", "لا", "nem"]


@pytest.mark.parametrize(("words", "answer"), [(YES, "yes"), (NO, "no")])
def test_yes_and_no_are_read_in_many_languages_and_any_case(words, answer):
    assert {word: read_word(f" {word.upper()}. ") for word in words} == dict.fromkeys(words, answer)


def test_no_word_has_two_meanings():
    assert all(not ANSWERS[one] & ANSWERS[other] for one, other in combinations(ANSWERS, 2))


@pytest.mark.parametrize("text", ["nicht positiv", "nein ja", "3+", "2+", "partial", "yesno", "0", "1"])
def test_what_is_not_one_word_with_one_meaning_is_not_read(text):
    assert read_word(text) is None


def test_accents_and_width_do_not_matter():
    assert fold(" NÃO ") == fold("nao") == "nao"
    assert fold("ＹＥＳ") == "yes"
