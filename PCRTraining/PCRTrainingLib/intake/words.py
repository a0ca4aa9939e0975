"""Words of tables in several languages: names of columns, and values of the label and of clinical variables."""

import re
from collections.abc import Iterable

from PCRPredictorLib.answers import read_word
from PCRPredictorLib.clinical import Category, is_missing
from PCRPredictorLib.reading.mapping import DENIES

from .names import plain

COLUMNS = {  # our name to what a column's name must match, in lower case without accents
    "age": r"((patient|pat) )?(age|alter|edad|eta|idade|leeftijd|wiek)( .*(mri|mrt|irm|diag|year|jahr|scan).*)?",
    "er": r"(er|or|esr1?|o?estrogen.*|ostrogen.*|recepteurs? (aux )?o?estrogenes?)(pos\w*)?( .*)?",
    "pr": r"(pr|pgr|progest.*|recepteurs? (a la )?progesterone)(pos\w*)?( .*)?",
    "hr": r"(hr|hormone? ?re[cz]ept.*|hormon\w*re[cz]ept.*|recepteurs? hormonaux)(pos\w*)?( (?!.*her ?2).*)?",
    "her2": r"(her ?2|erbb ?2|c ?erb).*",
    "menopause": r"(pra|prae|pre|post)?menop.*|wechseljahre",
    "site": r"site|cent(er|re|ro)|zentrum|klinik|hospital|hopital|krankenhaus|standort|institution|ospedale",
    "tumor_subtype": r"((tumou?r|molecular|molekular\w*|intrinsic) ?)?(sub ?typ\w*|sous ?type)",
    "nottingham_grade": r"((nottingham|histolog\w*|tumou?r) ?)?grad(e|ing|o)|g",
    "breast_density": r"((breast|brust) ?)?(density|dichte|densite)|acr( .*)?",
    "acquisition_times": r"acquisition ?times?|aufnahmezeit\w*",
    "manufacturer": r"manufacturer|hersteller|vendor|fabricant|scanner",
}
IDENTIFIER = (
    r"(.*\b)?(pat\w*|p?id|case|fall\w*|subject\w*|proband\w*|sujet|paciente?|code|pseudonym\w*|kennung|folder|"
    r"ordner)\b.*"
)
INDEX = r"|index|(lfd|lauf\w*|row|zeile)\b.*|n(o|r|um\w*)?|unnamed.*"  # a running number of the row
LABEL_EXACT = r"pcr"
LABEL_STRONG = (
    r".*\bpcr\b.*|.*path\w* ?(complete|kompl\w*|cr\b).*|.*complete ?(path\w* ?)?resp.*|.*(kompl|voll)\w*remission.*|"
    r".*reponse ?(histologique )?complete.*|.*respuesta ?(patologica )?completa.*|.*risposta ?(patologica )?completa.*"
)
LABEL_WEAK = (
    r".*(response|responder|ansprechen|reponse|respuesta|risposta|outcome|remission).*|"
    r"((op|therapie) )?(ergebnis|resultat)"
)
_COMPLETE = r"pcr|cr|complet[ea]|komplett[er]?|vollstandige?"  # the first word of a cell that says complete response
_PARTIAL = r"npcr|in(complet[ea]|komplett)|unvollstandig|partial|partiell?e?|par[cz]iale?|teilweise|residual|rd"
_MEANINGS = {  # kind of variable to value and the words for it that its codings lack
    "receptor": {"positive": {"amplified", "amplifiziert"}, "negative": {"not amplified", "nicht amplifiziert"}},
    "menopause": {
        "pre": {
            "pra",
            "prae",
            "pramenopausal",
            "praemenopausal",
            "premenopausa",
            "premenopause",
            "avant",
            "perimenopause",
        },
        "post": {"postmenopause", "postmenopausa", "apres", "menopausee", "postmenopausee"},
    },
    "nottingham_grade": {"1": {"g1"}, "2": {"g2"}, "3": {"g3"}},
    "breast_density": {"a": {"acr a"}, "b": {"acr b"}, "c": {"acr c"}, "d": {"acr d"}},
}
_RECEPTOR = {"yes": ["positive"], "positive": ["positive"], "no": ["negative"], "negative": ["negative"]}
_SCORE = {"0": "negative", "1": "negative", "1+": "negative", "2": "", "2+": "", "3": "positive", "3+": "positive"}


def simple(text: str) -> str:
    """Return a name or value in lower case, without accents, and with single blanks for signs; "+" and "-" stay."""
    text = plain(text).lower().replace("ß", "ss").strip()
    return text if text in ("+", "-", "1+", "2+", "3+") else re.sub(r"[\W_]+", " ", text).strip()


def fits(pattern: str, name: str) -> bool:
    """Return True if a column's name matches one of the patterns above."""
    return re.fullmatch(pattern, simple(name)) is not None


def denies(text: str) -> bool:
    """Return True for a name or value with a word such as "no" or "residual"."""
    return bool(re.search(DENIES, simple(text)))


def read_answer(text: str) -> str | None:
    """Return "1" for a cell that says yes or complete response, "0" for no, None if it says neither."""
    word, value = read_word(text), simple(text)
    if word in ("yes", "positive") or re.fullmatch(r"1( 0)?", value):
        return "1"
    if word in ("no", "negative") or re.fullmatch(r"0( 0)?", value):
        return "0"
    first = value.removeprefix("pathological ").removeprefix("path ").partition(" ")[0]
    if re.fullmatch(_PARTIAL, first) or (denies(text) and re.search(r"pcr|compl|kompl|vollst", value)):
        return "0"
    return "1" if re.fullmatch(_COMPLETE, first) and not denies(text) else None


def read_category(variable: Category, texts: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the meanings of cells that a variable's own codings do not read, and the cells without a known meaning.

    A meaning of "" is "not known". HER2 scores of immunohistochemistry are negative (0, 1+), positive (3+) or not
    known (2+).
    """
    found, unread = {}, []
    texts = [text for text in texts if not is_missing(text)]
    is_score = variable.name == "her2" and not {simple(text) for text in texts}.isdisjoint(("2", "3", "2+", "3+"))
    kind = "receptor" if set(variable.codings) == {"negative", "positive"} else variable.name
    ways = _MEANINGS.get(kind, {})
    for text in texts:
        value = simple(text)
        if is_score:
            meant = [_SCORE[value]] if value in _SCORE else []
        elif _reads(variable, text):
            continue
        else:
            meant = [meaning for meaning, words in ways.items() if {value, value.partition(" ")[0]} & words]
            meant += _RECEPTOR.get(read_word(value.partition(" ")[0]) or "", []) if kind == "receptor" else []
        if len(meant) == 1:
            found[text] = meant[0]
        else:
            unread.append(text)
    return found, unread


def _reads(variable: Category, text: str) -> bool:
    try:
        variable.parse(text.strip())
    except ValueError:
        return False
    return True
