"""A statement on paper. The font has Greek, Cyrillic and Latin letters, and is packed with the product."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, XPos, YPos
from fpdf.fonts import FontFace, TTFFont

from app.billing.statements.reckoning import Statement
from app.billing.statements.wording import Line, lines

FONT = "OpenSans"
FILES = {"": "OpenSans-Regular.ttf", "B": "OpenSans-Bold.ttf"}
GREY = 110
CREDIT_COLUMNS = ("Date", "What", "Credits", "Debt")
CREDIT_WIDTHS = (24, 100, 18, 18)
MONEY_COLUMNS = ("Date", "What", "Net", "VAT", "Rate", "Total", "Refunded so far", "Treatment")
MONEY_WIDTHS = (24, 30, 17, 17, 13, 19, 19, 30)
MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


class Paper(FPDF):
    """A4 in our font, with page numbers. What the font lacks is a question mark."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        self.heading = title
        folder = importlib.resources.files("ttf_opensans") / "ttf"
        for style, file in FILES.items():
            self.add_font(FONT, style, str(folder / file))
        self.set_title(title)
        self.set_lang("en")
        self.set_margin(15)
        self.set_auto_page_break(True, margin=20)
        self.alias_nb_pages()
        self.add_page()
        font = self.fonts[FONT.lower()]
        self.letters = frozenset(font.cmap) if isinstance(font, TTFFont) else frozenset()

    def footer(self) -> None:
        self.set_y(-14)
        self.write_in(8, f"{self.heading} · {self.page_no()}/{{nb}}", grey=True)

    def printable(self, words: str) -> str:
        """The library would tell the log which letters are missing, and they may be of a name."""
        return "".join(letter if ord(letter) in self.letters else "?" for letter in words)

    def write_in(self, size: float, words: str, *, bold: bool = False, grey: bool = False) -> None:
        """A paragraph."""
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(GREY if grey else 0)
        self.multi_cell(0, size * 0.5, self.printable(words), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(0)

    def rows(self, columns: Sequence[str], widths: Sequence[int], cells: Sequence[Sequence[str]]) -> None:
        """A table; the first two columns are words, the others figures."""
        self.set_font(FONT, "", 8)
        align = tuple("LEFT" if place < 2 else "RIGHT" for place in range(len(columns)))
        with self.table(
            col_widths=tuple(widths),
            text_align=align,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis=TextEmphasis.B),
            line_height=4.5,
            padding=1,
        ) as table:
            for row in (columns, *cells):
                table.row([self.printable(cell) for cell in row])


def pdf(statement: Statement) -> bytes:
    """The file."""
    month = statement.month
    paper = Paper(f"Statement {MONTHS[month.number - 1]} {month.year}")
    _head(paper, statement)
    told = list(lines(statement))
    paper.write_in(12, "Credits", bold=True)
    paper.rows(CREDIT_COLUMNS, CREDIT_WIDTHS, [_credits(line) for line in told if line.credits is not None])
    paper.ln(6)
    paper.write_in(12, "Money", bold=True)
    paid = [_money(line) for line in told if line.credits is None]
    if paid:
        paper.rows(MONEY_COLUMNS, MONEY_WIDTHS, paid)
    else:
        paper.write_in(9, "Nothing was paid in this month.")
    paper.ln(4)
    paper.write_in(8, _notes(statement), grey=True)
    return bytes(paper.output())


def _head(paper: Paper, statement: Statement) -> None:
    paper.write_in(18, paper.heading, bold=True)
    seller = statement.seller_vat_number
    paper.write_in(9, "Astronote" + (f", VAT number {seller}" if seller else ""), grey=True)
    paper.ln(4)
    for place, words in enumerate(_buyer(statement)):
        paper.write_in(10, words, bold=place == 0)
    paper.ln(6)


def _buyer(statement: Statement) -> list[str]:
    shop, profile = statement.billing.shop, statement.billing.profile
    address = (profile.billing_address if profile else None) or {}
    town = " ".join(part for part in (address.get("postalCode"), address.get("city")) if part)
    number = profile.vat_number if profile else None
    parts = [
        (profile.legal_name if profile else None) or shop.display_name,
        shop.domain,
        *(address.get(name) for name in ("line1", "line2")),
        ", ".join(part for part in (town, address.get("state"), address.get("country")) if part),
        f"VAT number {number}" if number else None,
    ]
    return [part for part in parts if part]


def _credits(line: Line) -> list[str]:
    return [line.at, line.what, _signed(line, line.credits or 0), _signed(line, line.debt or 0)]


def _signed(line: Line, figure: int) -> str:
    return f"{figure:,}" if line.section in {"opening", "closing"} else f"{figure:+,}" if figure else "0"


def _money(line: Line) -> list[str]:
    total = f"{line.gross} {line.currency}"
    return [line.at, line.what, line.net, line.vat, line.vat_rate, total, line.refunded, line.treatment]


def _notes(statement: Statement) -> str:
    made = f"{statement.made_at.astimezone(statement.month.zone):%Y-%m-%d %H:%M}"
    notes = [
        f"Times are of {statement.month.zone.key}. Made on {made}.",
        "One credit is one SMS part. Credits that are reserved for texts on their way are still yours.",
        "Debt is what was refunded after it had been spent; the next purchase pays it.",
    ]
    if not statement.month.is_complete:
        notes.append("This month is not over: the statement says how it stands.")
    if any(charge.treatment == "eu_reverse_charge" for charge in statement.charges):
        notes.append("Reverse charge: the buyer owes the VAT (Article 196 of Directive 2006/112/EC).")
    return " ".join(notes)
