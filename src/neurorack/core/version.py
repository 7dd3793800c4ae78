"""The version of Neurorack, where every half can read it without importing the other."""

__version__ = "0.2.0"
