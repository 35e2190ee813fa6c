"""Who pays: a shop's billing profile, its customer at Stripe, its VAT and the evidence for it."""
