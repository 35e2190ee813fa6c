"""The words of the opt-out page, in English and Greek."""

from __future__ import annotations

from app.core.http.card import CardWords

ENGLISH = CardWords(
    language="en",
    ask_title="Stop texts from {shop}?",
    ask_text="{shop} will not send marketing messages to {phone} any more.",
    button="Stop texts",
    done_title="You are unsubscribed",
    done_text="{shop} will send no more marketing messages to {phone}. You can close this page.",
    already_title="You have already opted out",
    already_text="{shop} does not send marketing messages to {phone}. There is nothing more to do.",
    invalid_title="This link does not work",
    invalid_text="Part of it may be missing. Please open it again from your message.",
)
GREEK = CardWords(
    language="el",
    ask_title="Διακοπή μηνυμάτων από {shop};",
    ask_text="Δεν θα λαμβάνετε πια προωθητικά μηνύματα από {shop} στον αριθμό {phone}.",
    button="Διακοπή μηνυμάτων",
    done_title="Η διαγραφή σας ολοκληρώθηκε",
    done_text="Δεν θα λάβετε άλλα προωθητικά μηνύματα από {shop} στον αριθμό {phone}."
    " Μπορείτε να κλείσετε τη σελίδα.",
    already_title="Έχετε ήδη διαγραφεί",
    already_text="Ο αριθμός {phone} δεν λαμβάνει προωθητικά μηνύματα από {shop}."
    " Δεν χρειάζεται να κάνετε κάτι άλλο.",
    invalid_title="Ο σύνδεσμος δεν λειτουργεί",
    invalid_text="Ίσως λείπει ένα μέρος του. Ανοίξτε τον ξανά από το μήνυμά σας.",
)


def wording(language: str | None) -> CardWords:
    """The words in a language of the pages; English for any other."""
    return GREEK if language == "el" else ENGLISH
