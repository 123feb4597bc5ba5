"""Results as people and programs read them: tables, result.json, trials.csv, best.yaml, figures.

This floor reads histories and values; it never opens a journal, asks an oracle or starts a trial.
"""
