"""Surrogate models and acquisition functions: mathematics on arrays in the unit cube, numpy and scipy only.

Loaded when a model-based oracle is first asked, never at import of `hptune.oracles`: scipy takes a second.
"""
