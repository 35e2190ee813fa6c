"""What replies to a campaign mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.optouts.words import Reply, ReplyIntent, read_reply


@pytest.mark.parametrize(
    "text",
    [
        *(
            "STOP",
            "stop",
            " Stop. ",
            "“STOP”",
            "STOP!!!",
            "stop 🙏",
            "🛑 STOP 🛑",
            "S.T.O.P",
            "s t o p",
            "STOPPPP",
        ),
        *("STOPALL", "stop all", "Stop-All", "UNSUBSCRIBE", "Unsub", "cancel", "END", "quit", "Revoke"),
        *("OPTOUT", "opt out", "Opt-Out", "remove", "ARRÊT", "td", "STOP\n", "\u200bSTOP\ufeff", "ＳＴＯＰ"),
        *("Stop please", "please STOP", "STOP, thank you!"),
        *(
            "ΣΤΟΠ",
            "στοπ",
            "στόπ!",
            "Στοπ παρακαλώ",
            "ΔΙΑΓΡΑΦΗ",
            "διαγραφή",
            "Απεγγραφή",
            "τέλος",
            "ΆΚΥΡΟ",
            "ακύρωση",
        ),
        "ΣTOΠ",  # T and O typed in Latin
        "SΤΟΡ",  # TOP typed in Greek
        "ЅТОР",  # typed in Cyrillic
    ],
)
def test_a_keyword_stops_and_needs_no_review(text: str) -> None:
    assert read_reply(text) == Reply(ReplyIntent.STOP)


@pytest.mark.parametrize(
    "text",
    [
        *("unsubscribe me", "Stop it", "STOP texting me", "stop\n\nSent from my phone", "Stop 6984303456"),
        *(
            "Please stop sending me these",
            "I want to opt out",
            "i'd like to opt-out of this",
            "remove me now",
        ),
        *("How do I unsubscribe?", "take me off your list", "No more texts!", "Don't text me again"),
        *("Do not contact me", "leave me alone", "Cancel my subscription", "End these messages", "quit it"),
        *("I hereby revoke my consent", "Can you stop messaging?"),
        *(
            "Θέλω απεγγραφή",
            "Διαγράψτε με από τη λίστα",
            "Μη μου στέλνετε άλλα μηνύματα",
            "Σταματήστε να στέλνετε",
        ),
        *("Δεν θέλω άλλα sms", "στοπ στα μηνύματα", "βγάλτε με", "Τέλος τα μηνύματα"),
    ],
)
def test_a_request_in_other_words_stops_and_is_reviewed(text: str) -> None:
    assert read_reply(text) == Reply(ReplyIntent.STOP, needs_review=True)


@pytest.mark.parametrize(
    "text", ["START", "start!", "Unstop", "subscribe", "Start please", "έναρξη", "ΕΓΓΡΑΦΗ"]
)
def test_a_start_word_starts(text: str) -> None:
    assert read_reply(text) == Reply(ReplyIntent.START)


@pytest.mark.parametrize("text", ["HELP", "help?", "Info", "βοήθεια", "ΠΛΗΡΟΦΟΡΊΕΣ", "help please"])
def test_a_help_word_asks_for_help(text: str) -> None:
    assert read_reply(text) == Reply(ReplyIntent.HELP)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "   ",
            "👍",
            "yes",
            "Ναι",
            "thanks!",
            "please",
            "the end of the week",
            "End of the week is fine",
        ),
        *(
            "Is it open at the weekend?",
            "I need help with my order",
            "when does the offer start",
            "endless love",
        ),
        *("Τέλος του μήνα;", "στο τέλος της εβδομάδας", "Ευχαριστώ πολύ", "stopwatch", "μέχρι το τέλος"),
    ],
)
def test_anything_else_goes_to_the_inbox(text: str) -> None:
    assert read_reply(text) == Reply(ReplyIntent.OTHER)


@pytest.mark.parametrize(
    "text",
    ["don't stop texting me", "Never stop sending these!", "which bus stop?", "can I cancel my order?"],
)
def test_a_stop_word_in_a_sentence_is_only_reviewed(text: str) -> None:
    assert read_reply(text) == Reply(ReplyIntent.OTHER, needs_review=True)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(read_reply(text), Reply)


@given(st.sampled_from(["stop", "ΣΤΟΠ", "unsubscribe", "τέλος"]), st.text("!?.,;: \n\t\"'()🙂❤️", max_size=8))
def test_decoration_around_a_keyword_does_not_matter(keyword: str, decoration: str) -> None:
    assert read_reply(decoration + keyword + decoration) == Reply(ReplyIntent.STOP)
