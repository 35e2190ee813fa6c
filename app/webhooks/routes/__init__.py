"""Where other systems post."""
