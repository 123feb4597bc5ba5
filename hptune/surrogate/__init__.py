"""Surrogate models and acquisition functions: mathematics on arrays in the unit cube, numpy and scipy only.

Loaded by the model-based oracles when they are first asked, never at import of `hptune.oracles` (scipy takes a second).
"""
