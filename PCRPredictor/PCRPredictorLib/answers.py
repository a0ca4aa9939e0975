"""Yes and no, positive and negative, and "not known", in the languages of tables; identifiers as they are compared.

Only whole cells count, and only words that mean one thing: "ja" is yes, "nicht positiv" is left to its reader.
"""

import re
import unicodedata

_YES = (
    "yes y true t ja j jawohl wahr oui vrai si s sim verdadero vero tak da ano igen kylla jah jaa taip ya evet "
    "да так истина ναι 是 是的 有 はい 有り あり 예 네 نعم כן हाँ có ใช่"
)
_NO = (
    "no n false f nein falsch non faux nao nee nej nei nie ne nu nem ei falso tidak hayir yok "
    "нет ні ложь όχι 否 不 不是 无 無 没有 いいえ なし 아니오 아니요 لا לא नहीं không ไม่"
)
_POSITIVE = (
    "positive positiv pos positif positivo positiva positief pozytywny pozytywna dodatni pozitif pozitivni "
    "положительный положительно положительная 阳性 陽性 양성 + ＋"
)
_NEGATIVE = (
    "negative negativ neg negatif negativo negativa negatief negatywny negatywna ujemny negativni "
    "отрицательный отрицательно отрицательная 阴性 陰性 음성 - – − － ‐"
)
_UNKNOWN = (
    "unknown missing na n/a n.a. nan none null <na> unk nd n/d n.d. s/d k.a. k._a. n._a. ? . not_available not_known "
    "not_done unbekannt keine_angabe inconnu inconnue non_connu desconocido desconocida desconhecido desconhecida "
    "sconosciuto sconosciuta onbekend nieznany nieznane nieznana bilinmiyor neznamo "
    "неизвестно нет_данных 未知 不明 不详 미상"
)
_NUMBER = re.compile(r"0*(\d+)(\.0+)?")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))


def fold(text: str) -> str:
    """Return a text as words are compared: without case, accents, blanks around it and a full stop at its end."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split()))
    folded = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return folded.replace("ı", "i").rstrip(".!") or folded


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(word.replace("_", " ")) for word in text.split())


_ANSWERS = {
    "yes": _words(_YES),
    "no": _words(_NO),
    "positive": _words(_POSITIVE),
    "negative": _words(_NEGATIVE),
    "unknown": _words(_UNKNOWN) | {""},
}


def read_word(text: str) -> str | None:
    """Return "yes", "no", "positive", "negative" or "unknown" for a cell that says so in any language, else None."""
    word = fold(text)
    return next((answer for answer, words in _ANSWERS.items() if word in words), None)


def clean(text: str) -> str:
    """Return a text as it is compared: composed letters (NFC), single blanks, nothing invisible."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def identifier_key(text: str) -> str:
    """Return an identifier as it is compared, without regard to case."""
    return clean(text).lower()


def number_key(text: str) -> str:
    """Return an identifier without what spreadsheets change: "001", "1" and "1.0" are the same number."""
    key = identifier_key(text)
    match = _NUMBER.fullmatch(key)
    return match.group(1) if match else key
