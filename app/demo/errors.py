"""Why a demo ends early. The text is for the person at the terminal."""

from __future__ import annotations


class DemoStopped(Exception):
    """Something that the demo needs did not happen; the text says what, in one sentence."""
