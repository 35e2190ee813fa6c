"""The texts that we wrote: a library for everybody, and a set of five for each type of shop.

Whoever changes a text raises LIBRARY_VERSION: a process that still runs the old code then leaves the new text
alone, and shops get the new one as a new version. A test holds the number to the texts.
"""

from app.templates.library.entry import LibraryText
from app.templates.library.shared import SHARED_LIBRARY, STORE_CATEGORIES
from app.templates.library.shop_sets import SHOP_SETS

LIBRARY_VERSION = 1

__all__ = ["LIBRARY_VERSION", "SHARED_LIBRARY", "SHOP_SETS", "STORE_CATEGORIES", "LibraryText"]
