"""Modulation: clock, LFOs, envelopes, random values, follower, and the matrix that routes them."""
