"""The proof of the ledger: transfers are sealed in chains, and seals are verified."""
