"""Fold racing replayed on stored fold matrices of real studies: fits saved, and what they cost."""
