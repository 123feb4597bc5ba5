"""How good and how fast the oracles are, measured; see README.md."""
