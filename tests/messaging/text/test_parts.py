"""How many parts a text is billed as."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.messaging.text.parts import Encoding, PartCount, count_parts

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", GSM7, 0, 0),
        ("a" * 160, GSM7, 160, 1),
        ("a" * 161, GSM7, 161, 2),
        ("a" * 306, GSM7, 306, 2),
        ("a" * 307, GSM7, 307, 3),
        ("a" * 459, GSM7, 459, 3),
        ("a" * 460, GSM7, 460, 4),
        ("€" * 79 + "aa", GSM7, 160, 1),
        ("€" * 80, GSM7, 160, 1),
        ("€" * 81, GSM7, 162, 2),
        ("a" * 152 + "€" + "a" * 152, GSM7, 306, 3),
        ("a" * 152 + "€" + "a" * 151, GSM7, 305, 2),
        ("я" * 70, UCS2, 70, 1),
        ("я" * 71, UCS2, 71, 2),
        ("я" * 134, UCS2, 134, 2),
        ("я" * 135, UCS2, 135, 3),
        ("😀" * 35, UCS2, 70, 1),
        ("😀" * 36, UCS2, 72, 2),
        ("я" * 66 + "😀" + "я" * 66, UCS2, 134, 3),
        ("👨‍👩‍👧", UCS2, 8, 1),
        ("[x]", GSM7, 5, 1),
    ],
)
def test_a_text_is_counted_as_carriers_split_it(
    text: str, encoding: Encoding, units: int, parts: int
) -> None:
    assert count_parts(text) == PartCount(encoding, units, parts)


def by_filling_parts(text: str, wide: str, single: int, room: int) -> int:
    """Fill parts one character at a time."""
    parts: list[int] = []
    for character in text:
        width = 2 if character in wide else 1
        if parts and parts[-1] + width <= room:
            parts[-1] += width
        else:
            parts.append(width)
    whole = sum(parts)
    return min(whole, 1) if whole <= single else len(parts)


# Long runs of one character reach the part boundaries that short random texts never see.
def runs(characters: str) -> st.SearchStrategy[str]:
    run = st.builds(str.__mul__, st.sampled_from(characters), st.integers(0, 160))
    return st.lists(run, max_size=9).map("".join)


@given(runs("ab€[é"))
@example("a" * 152 + "€" * 77 + "a")
def test_gsm_counting_equals_filling_parts_one_by_one(text: str) -> None:
    assert count_parts(text).parts == by_filling_parts(text, "€[", 160, 153)


@given(runs("яa😀€"))
@example("я" * 66 + "😀" * 40)
def test_ucs2_counting_equals_filling_parts_one_by_one(text: str) -> None:
    text = "я" + text

    assert count_parts(text).parts == by_filling_parts(text, "😀", 70, 67)
