"""The confirmation text and the words of its page, in English and Greek."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.http.card import CardWords
from app.messaging.text.smart_encoding import smart_encode
from app.messaging.text.template import clean_merge_value, compile_template
from app.messaging.wording import Wording, source_of


@dataclass(frozen=True)
class Words:
    """The text that asks, and its page.

    The text advertises nothing, and needs no opt-out line, because who ignores it hears no more.
    """

    text: str
    page: CardWords


ENGLISH = Words(
    text="{{shopName}}: tap to confirm that you want our texts. Not you? Ignore this.\n",
    page=CardWords(
        language="en",
        ask_title="Get texts from {shop}?",
        ask_text="{shop} would like to send news and offers to {phone}. You can stop them at any time.",
        button="Yes, send me texts",
        done_title="You are signed up",
        done_text="{shop} will send texts to {phone}. Every one of them has a link to stop them.",
        already_title="This link has been used",
        already_text="{phone} was confirmed with it before. There is nothing more to do.",
        invalid_title="This link does not work",
        invalid_text="It may be too old, or part of it is missing. Please sign up again in the shop.",
    ),
)
GREEK = Words(
    text="{{shopName}}: πατήστε για να λαμβάνετε τα μηνύματά μας. Δεν είστε εσείς; Αγνοήστε το.\n",
    page=CardWords(
        language="el",
        ask_title="Να λαμβάνετε μηνύματα από {shop};",
        ask_text="Θέλετε να λαμβάνετε νέα και προσφορές από {shop} στον αριθμό {phone};"
        " Μπορείτε να τα διακόψετε όποτε θέλετε.",
        button="Ναι, θέλω μηνύματα",
        done_title="Η εγγραφή σας ολοκληρώθηκε",
        done_text="Θα λαμβάνετε μηνύματα από {shop} στον αριθμό {phone}."
        " Σε καθένα υπάρχει σύνδεσμος για να τα διακόψετε.",
        already_title="Ο σύνδεσμος έχει χρησιμοποιηθεί",
        already_text="Ο αριθμός {phone} έχει ήδη επιβεβαιωθεί με αυτόν. Δεν χρειάζεται να κάνετε κάτι άλλο.",
        invalid_title="Ο σύνδεσμος δεν λειτουργεί",
        invalid_text="Ίσως έληξε ή λείπει ένα μέρος του. Εγγραφείτε ξανά στο κατάστημα.",
    ),
)


def words_in(language: str | None) -> Words:
    """The words in a language of the pages; English for any other."""
    return GREEK if language == "el" else ENGLISH


def confirmation_text(shop_name: str, url: str, language: str | None) -> Wording:
    """The one text that asks for a yes, spelt as cheaply as it can be."""
    words = words_in(language)
    constants = {"shopName": clean_merge_value(shop_name)}
    asked = source_of(compile_template(words.text, constants))
    smart = smart_encode(asked, tail=url, greek=words is GREEK)
    return Wording(smart.text + url, links=(), smart=smart, unknown_tags=(), shortened_to_fit=False)
