"""Priors: small causal models of how an instrument is played (its controls) and of what sounds (its z).

docs/prior.md has the method, the families tried and what they scored.
"""
