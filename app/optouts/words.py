"""What a reply means: stop, start, help, or something for a person to read. English and Greek.

US law (47 CFR 64.1200(a)(10)) makes certain words an opt-out by themselves and asks to honour any
other wording that a reasonable person would understand. So we err towards stopping, and mark for
review what was not a plain keyword.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ReplyIntent(StrEnum):
    """What the sender of a reply wants. START may only undo an opt-out that was made by keyword."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reply:
    """`needs_review`: a person should look, because the wording was not a plain keyword."""

    intent: ReplyIntent
    needs_review: bool = False


def read_reply(text: str) -> Reply:
    """Read a reply. Case, accents, punctuation, emoji and look-alike letters make no difference."""
    words = _words(text)
    keyword = _without_courtesies(words)
    for intent, keywords in _KEYWORDS.items():
        if keyword in keywords:
            return Reply(intent)
    if _begins_with_stop(words) or _asks_to_stop(words):
        return Reply(ReplyIntent.STOP, needs_review=True)
    return Reply(ReplyIntent.OTHER, needs_review=any(word in _STRONG for word in words))


_Words = tuple[str, ...]

# Letters that look the same share one spelling, whichever alphabet the keyboard was in.
_LOOK_ALIKES = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХЅІЈ", "ABEZHIKMNOPTYXABEKMHOPCTYXSIJ")


def _words(text: str) -> _Words:
    letters = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in letters if unicodedata.category(letter) not in ("Mn", "Cf"))
    plain = re.sub(r"['’‘`´]", "", plain).upper().translate(_LOOK_ALIKES)
    plain = re.sub(r"(.)\1{2,}", r"\1", plain)  # STOPPPP
    words = re.findall(r"[^\W_]+", plain)
    if len(words) > 1 and all(len(word) == 1 for word in words):  # S.T.O.P
        words = ["".join(words)]
    return tuple(words)


def _phrases(*phrases: str) -> frozenset[_Words]:
    return frozenset(_words(phrase) for phrase in phrases)


def _single(phrases: Iterable[_Words]) -> frozenset[str]:
    return frozenset(phrase[0] for phrase in phrases if len(phrase) == 1)


# YES is no START: it counts only as the answer to a question, and none is pending here.
_KEYWORDS = {
    ReplyIntent.STOP: _phrases(
        *("stop", "stopall", "stop all", "unsubscribe", "unsub", "cancel", "end", "quit", "revoke"),
        *("optout", "opt out", "remove", "arret", "td"),
        *("ΣΤΟΠ", "ΔΙΑΓΡΑΦΗ", "ΑΠΕΓΓΡΑΦΗ", "ΤΕΛΟΣ", "ΑΚΥΡΟ", "ΑΚΥΡΩΣΗ", "ΣΤΑΜΑΤΑ", "ΣΤΑΜΑΤΗΣΤΕ"),
        *("diagrafi", "apeggrafi", "telos", "akyro"),
    ),
    ReplyIntent.START: _phrases("start", "unstop", "subscribe", "resubscribe", "ΕΝΑΡΞΗ", "ΕΓΓΡΑΦΗ"),
    ReplyIntent.HELP: _phrases("help", "info", "ΒΟΗΘΕΙΑ", "ΠΛΗΡΟΦΟΡΙΕΣ"),
}
_COURTESIES = _single(_phrases("please", "pls", "plz", "thanks", "thank", "you", "ΠΑΡΑΚΑΛΩ", "ΕΥΧΑΡΙΣΤΩ"))

# These open a sentence about something else as easily: "end of the month", "τέλος του μήνα".
_AMBIGUOUS = _single(_phrases("end", "ΤΕΛΟΣ", "telos"))
_OF = _single(_phrases("of", "ΤΟΥ", "ΤΗΣ", "ΤΩΝ", "tou", "tis"))
_STRONG = _single(_KEYWORDS[ReplyIntent.STOP]) - _AMBIGUOUS - {"TD", "ARRET"}

# Anywhere in the text, unless the word before turns it round ("don't stop texting").
_REQUESTS = _phrases(
    *("unsubscribe", "unsubscribed", "opt out", "optout", "opt me out", "opting out", "stop all"),
    *("stop texting", "stop sending", "stop messaging", "stop contacting", "stop receiving"),
    *("stop messages", "stop texts", "stop sms", "stop these", "stop the", "stop your", "stop this"),
    *("remove me", "remove my", "take me off", "delete me", "leave me alone"),
    *("no more messages", "no more texts", "no more sms", "no more promotions"),
    *("dont text", "do not text", "dont send", "do not send", "dont message", "do not message"),
    *("dont contact", "do not contact", "revoke my consent", "withdraw my consent"),
    *("ΑΠΕΓΓΡΑΦΗ", "ΔΙΑΓΡΑΦΗ", "ΔΙΑΓΡΑΨΤΕ ΜΕ", "ΔΙΑΓΡΑΨΕ ΜΕ", "ΔΙΕΓΡΑΨΕ ΜΕ", "ΒΓΑΛΤΕ ΜΕ", "ΒΓΑΛΕ ΜΕ"),
    *("ΣΤΑΜΑΤΗΣΤΕ ΝΑ", "ΣΤΑΜΑΤΑ ΝΑ", "ΝΑ ΣΤΑΜΑΤΗΣΕΤΕ", "ΣΤΟΠ ΣΤΑ", "ΟΧΙ ΑΛΛΑ ΜΗΝΥΜΑΤΑ"),
    *("ΜΗ ΜΟΥ ΣΤΕΛΝΕΤΕ", "ΜΗΝ ΜΟΥ ΣΤΕΛΝΕΤΕ", "ΜΗ ΣΤΕΛΝΕΤΕ", "ΜΗΝ ΣΤΕΛΝΕΤΕ", "ΜΗ ΜΟΥ ΞΑΝΑΣΤΕΙΛΕΤΕ"),
    *("ΜΗΝ ΜΟΥ ΞΑΝΑΣΤΕΙΛΕΤΕ", "ΜΗΝ ΞΑΝΑΣΤΕΙΛΕΤΕ", "ΔΕΝ ΘΕΛΩ ΑΛΛΑ", "ΔΕΝ ΘΕΛΩ ΜΗΝΥΜΑΤΑ"),
)
_LONGEST_REQUEST = max(map(len, _REQUESTS))
_NEGATIONS = _single(_phrases("dont", "not", "never", "ΜΗ", "ΜΗΝ"))


def _without_courtesies(words: _Words) -> _Words:
    return tuple(word for word in words if word not in _COURTESIES)


def _begins_with_stop(words: _Words) -> bool:
    first, second = (*_without_courtesies(words), "", "")[:2]
    if first in _AMBIGUOUS:
        return second not in _OF
    return first in _STRONG


def _asks_to_stop(words: _Words) -> bool:
    for place in range(len(words)):
        negated = place > 0 and words[place - 1] in _NEGATIONS
        for length in range(1, _LONGEST_REQUEST + 1):
            if words[place : place + length] in _REQUESTS and not negated:
                return True
    return False
