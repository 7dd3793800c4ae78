"""Neurorack: a stand-alone neural synthesizer played through what the ear hears."""

__version__ = "0.1.0"
