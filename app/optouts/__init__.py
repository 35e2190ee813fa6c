"""Opt-outs: who must not be texted, and the words people reply with."""
