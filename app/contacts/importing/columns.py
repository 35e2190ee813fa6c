"""Which column of a file is which field: the words that people write above them, in English and Greek."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

NAMES: dict[str, tuple[str, ...]] = {
    "phoneE164": (
        "phoneE164", "mobile", "mobile phone", "mobile number", "cell", "cellphone", "cell phone", "msisdn",
        "κινητό", "κινητό τηλέφωνο", "τηλέφωνο κινητό", "αριθμός κινητού", "phone", "phone number",
        "telephone", "telephone number", "tel", "contact number", "τηλέφωνο", "αριθμός τηλεφώνου", "τηλ",
        "sms",
    ),
    "firstName": (
        "first name", "firstName", "first", "given name", "forename", "fname", "όνομα", "μικρό όνομα",
    ),
    "lastName": (
        "last name", "lastName", "last", "surname", "family name", "lname", "επώνυμο", "επίθετο",
    ),
    "fullName": (
        "name", "full name", "customer name", "customer", "contact name", "ονοματεπώνυμο",
        "όνομα και επώνυμο", "όνομα επώνυμο", "πελάτης",
    ),
    "email": (
        "email", "e-mail", "email address", "e-mail address", "mail", "ηλεκτρονικό ταχυδρομείο",
        "ηλ. ταχυδρομείο", "διεύθυνση email", "ιμέιλ",
    ),
    "gender": ("gender", "sex", "φύλο"),
    "birthDate": (
        "birth date", "birthDate", "birthday", "date of birth", "dob", "γενέθλια", "ημερομηνία γέννησης",
        "ημ. γέννησης", "ημ/νία γέννησης",
    ),
    "smsConsent": (
        "sms consent", "smsConsent", "consent", "sms consent status", "consent status", "opt in",
        "συγκατάθεση", "συγκατάθεση sms", "συναίνεση",
    ),
    "tags": ("tags", "tag", "labels", "groups", "ετικέτες", "ετικέτα", "ομάδες"),
}  # fmt: skip


def plain(name: str) -> str:
    """A header without case, accents, spaces and punctuation: ' Κινητό τηλ. ' is 'κινητοτηλ'."""
    letters = unicodedata.normalize("NFD", name.casefold())
    return re.sub(r"[\W_]+", "", "".join(one for one in letters if not unicodedata.combining(one)))


# The better word has the lower rank: in a file with 'Phone' and 'Mobile' the texts go to the mobile.
FIELD_OF = {plain(name): (field, rank) for field, names in NAMES.items() for rank, name in enumerate(names)}


def fields_of(header: Sequence[str]) -> dict[str, int]:
    """The known fields and their positions. Of two columns for one field the more exact name counts."""
    best: dict[str, tuple[int, int]] = {}
    for position, name in enumerate(header):
        field, rank = FIELD_OF.get(plain(name), ("", 0))
        if field:
            best[field] = min(best.get(field, (rank, position)), (rank, position))
    return {field: position for field, (_, position) in best.items()}


def given(cells: Sequence[str], fields: Mapping[str, int]) -> dict[str, object]:
    """A record under the API names, without missing cells. A full name is split at its first space."""
    row: dict[str, object] = {
        field: cells[position] for field, position in fields.items() if position < len(cells)
    }
    full = row.pop("fullName", None)
    if isinstance(full, str) and not row.get("firstName"):
        first, _, rest = full.strip().partition(" ")
        row["firstName"] = first
        row["lastName"] = row.get("lastName") or rest
    return row
