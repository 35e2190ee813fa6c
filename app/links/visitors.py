"""Who opens a link: people count, the machines that look at it before them do not."""

from __future__ import annotations

import re

# Messengers and scanners fetch a link to draw a preview or to judge it. Apple's Messages names itself
# facebookexternalhit; the rest say bot, crawler, spider or preview somewhere.
PREVIEW = re.compile(
    r"bot\b|crawler|spider|preview|facebookexternalhit|facebot|whatsapp|viber|skypeuri|slack|discord|embedly"
    r"|google-pagerenderer|googleimageproxy|bingpreview|safelinks|proofpoint|mimecast|barracuda|headlesschrome",
    re.IGNORECASE,
)


def is_person(method: str, user_agent: str, purpose: str) -> bool:
    """Whether a request looks like a tap on the link. `purpose` is the browser's (Sec-)Purpose header."""
    return method == "GET" and "prefetch" not in purpose.lower() and not PREVIEW.search(user_agent)
