"""Dashboard, reports and tracking over HTTP."""

# What dashboard and reports are made of: an answer is kept until one of them changes.
FAMILIES = ("figures", "campaigns", "contacts", "settings")
