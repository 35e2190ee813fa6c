"""A shop's month in credits and money, as CSV and PDF."""
