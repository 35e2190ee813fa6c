"""Templates: find one, start from it, keep the library and the shops' own sets up to date."""

from app.templates.service.browsing import (
    UsedTemplate,
    find_template,
    list_categories,
    list_templates,
    track_use,
)
from app.templates.service.editing import edit_own_template
from app.templates.service.seeding import Seeded, ensure_defaults, seed, sync_library
from app.templates.service.sharing import (
    change_shared,
    create_shared,
    list_shared,
    list_versions,
    retire_shared,
    use_by_shops,
)

__all__ = [
    "Seeded",
    "UsedTemplate",
    "change_shared",
    "create_shared",
    "edit_own_template",
    "ensure_defaults",
    "find_template",
    "list_categories",
    "list_shared",
    "list_templates",
    "list_versions",
    "retire_shared",
    "seed",
    "sync_library",
    "track_use",
    "use_by_shops",
]
