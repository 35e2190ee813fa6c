"""The text of an SMS: alphabets, parts, cheaper spellings, merge tags. Pure functions, no database."""
