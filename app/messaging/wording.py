"""From what the merchant wrote to what is frozen: links marked, opt-out line appended, characters made cheap.

The order is fixed: constants (shop name, code) → long URLs become short-link marks → smart encoding → cut
to fit →
opt-out line, exactly once. A mark is as long as the token that replaces it when the message is sent, so
whatever is counted on the frozen text is true of the sent one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.messaging.link_tokens import LINKS_MAX, OPT_OUT_LINK, TOKEN_LENGTH, make_token
from app.messaging.text.parts import count_parts
from app.messaging.text.smart_encoding import SmartEncoding, smart_encode
from app.messaging.text.template import (
    Literal,
    Template,
    compile_template,
    fit,
    replace_long_urls,
)

URL_LENGTH_WORTH_SHORTENING = 50
OPT_OUT_LINE = "\n\nUnsubscribe: "


@dataclass(frozen=True)
class Wording:
    """A frozen text. `text` still has the recipient's merge tags and the link marks; `links[n-1]` is link
    n.
    """

    text: str
    links: tuple[str, ...]
    smart: SmartEncoding
    unknown_tags: tuple[str, ...]
    shortened_to_fit: bool


def word(
    message: str,
    *,
    constants: Mapping[str, str],
    link_base: str,
    smart: bool = True,
    greek: bool = False,
    personal_links: Sequence[str] = (),
) -> Wording:
    """Freeze `message`. The same input always gives the same wording.

    `personal_links` names merge values that are addresses: their tags become short links, and each message
    keeps its own address.
    """
    links = [f"{{{{{name}}}}}" for name in personal_links]
    own = {name: short_url(link_base, number) for number, name in enumerate(personal_links, start=1)}

    def short(url: str) -> str:
        if "{{" in url or url.startswith(f"{link_base}/r/"):
            return url  # a personal address cannot be shared by all; ours is short already
        if url not in links and len(links) < LINKS_MAX:
            links.append(url)
        return short_url(link_base, links.index(url) + 1) if url in links else url

    tail = OPT_OUT_LINE + short_url(link_base, OPT_OUT_LINK)
    resolved = compile_template(message, {**constants, **own})
    marked = replace_long_urls(source_of(resolved), URL_LENGTH_WORTH_SHORTENING, short)
    encoded = smart_encode(marked, tail=tail, greek=greek) if smart or greek else _as_it_is(marked, tail)
    template = compile_template(encoded.text)
    fitting = fit(template, tail)
    return Wording(
        text=source_of(fitting).rstrip() + tail,
        links=tuple(url if url.startswith("{{") else _with_scheme(url) for url in links),
        smart=encoded,
        unknown_tags=resolved.unknown_tags,
        shortened_to_fit=fitting is not template,
    )


def short_url(link_base: str, link_no: int) -> str:
    """A short link with a mark where the token will stand."""
    return f"{link_base}/r/{mark(link_no)}"


def mark(link_no: int) -> str:
    """What stands for link `link_no` until the message has an id.

    Underscores are GSM-7, like every token character.
    """
    return f"_link_{link_no:02d}".ljust(TOKEN_LENGTH, "_")


def source_of(template: Template) -> str:
    """The text that compiles to `template`."""
    return "".join(
        part.text if isinstance(part, Literal) else f"{part.before}{{{{{part.name}}}}}{part.after}"
        for part in template.segments
    )


class Renderer:
    """Writes the messages of one frozen text."""

    def __init__(self, text: str, links: int, secret: str) -> None:
        self._template = compile_template(text)
        self._marks = [(mark(number), number) for number in range(links + 1)]
        self._secret = secret

    def render(self, message_id: int, values: Mapping[str, str | None]) -> str:
        """The words of one message: its merge values in their places, its own tokens in the links."""
        body = self._template.render(values)
        for placeholder, link_no in self._marks:
            if placeholder in body:
                body = body.replace(placeholder, make_token(message_id, link_no, self._secret))
        return body


def _as_it_is(text: str, tail: str) -> SmartEncoding:
    """What smart encoding would have reported had it changed nothing."""
    count = count_parts(text + tail)
    return SmartEncoding(text, False, (), count.encoding, count.parts, count.parts)


def _with_scheme(url: str) -> str:
    return url if url.lower().startswith("http") else f"https://{url}"
