"""What the demo writes where nobody watches: plain lines, and few of them."""

from __future__ import annotations

from io import StringIO

from app.demo.progress import ProgressBar
from app.demo.table import Screen


def test_a_file_gets_no_colours_and_no_line_that_is_drawn_over():
    out = StringIO()
    screen = Screen(out)

    screen.heading("A step")
    screen.fact("recipients", 1748)
    screen.table(["Sale", "together"], [("delivered", [1, 12345]), ("failed", [0, 2])])
    screen.verdict("All is well.", is_good=True)

    written = out.getvalue()
    assert "\x1b" not in written and "\r" not in written
    assert "1,748" in written and "12,345" in written


def test_the_columns_of_a_table_end_under_each_other():
    out = StringIO()

    Screen(out).table(["Sale", "together"], [("delivered", [1, 12345]), ("failed", [200, 2])])

    assert len({len(line) for line in out.getvalue().splitlines()}) == 1


def test_a_bar_without_a_terminal_writes_a_line_a_quarter():
    out = StringIO()
    bar = ProgressBar(Screen(out), "sent", 1000)

    for done in range(0, 1001, 10):
        bar.show(done)
    bar.close()

    lines = out.getvalue().splitlines()
    assert [line.split("%")[0].split()[-1] for line in lines] == ["0", "25", "50", "75", "100"]


def test_a_bar_on_a_terminal_draws_over_itself():
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    bar = ProgressBar(Screen(out), "sent", 10)
    bar.show(3)
    bar.show(10)
    bar.close()

    assert out.getvalue().count("\r") == 2
    assert out.getvalue().endswith("\n")
