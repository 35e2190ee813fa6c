"""Short links: where a link in a text leads, and who followed it."""
