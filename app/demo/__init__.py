"""`make demo`: a shop, its customers and one evening's campaign, over real HTTP against the real system.

Development only. Everything here is what a merchant's client, an operator's command or a customer's phone
could do; the ledger is read only to check what the API says.
"""
