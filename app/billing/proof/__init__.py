"""The credit proof for merchants: the ledger as a list, as a signed file, and the file verified."""
