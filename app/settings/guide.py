"""The short guide on the settings page."""

from __future__ import annotations

from typing import Any

USAGE_GUIDE: dict[str, Any] = {
    "title": "Getting the most out of your texts",
    "sections": [
        {
            "title": "Choose who you are",
            "content": "The sender is what people see above your text. Use your brand in 3 to 11 letters and"
            " digits, or a phone number if you want answers. Some countries replace names by numbers.",
        },
        {
            "title": "Know what a text costs",
            "content": "One credit pays for one part of a text to one person. Of plain Latin letters 160 fit"
            " a part; Greek small letters and emoji leave room for 70. The preview shows the exact price.",
        },
        {
            "title": "Write only to people who agreed",
            "content": "Texts go to contacts who have opted in. Every text ends with a link to opt out, and"
            " who opts out gets nothing more, whatever list they are on.",
        },
        {
            "title": "Pick the hour",
            "content": "Scheduled campaigns follow the time zone of your shop. Late morning and early evening"
            " are read best; nights are better left quiet.",
        },
        {
            "title": "Use your own address for links",
            "content": "With a base URL of your own, short links begin with your name instead of ours. Point"
            " that address at this service first, or the links lead nowhere.",
        },
    ],
}
