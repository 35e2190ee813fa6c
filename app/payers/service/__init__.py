"""Who pays: `vat` reckons, `customers` and `profiles` know, `evidence` proves."""
