"""Use cases of purchases: `buying` begins one, `fulfilling` credits it once, `reversing` takes back what went
back, `recharging` buys for a shop that lets us, `alerting` tells it, `reconciling` finds what was missed.
"""
