"""Keys, and reading the activity log."""
