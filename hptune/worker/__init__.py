"""The child side: all that touches user code, scikit-learn and pandas. Import nothing here: starts must stay fast."""
