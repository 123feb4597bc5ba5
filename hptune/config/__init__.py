"""From a YAML file to checked, frozen specs: every mistake has a file, a line and a mend.

`load.load` is the door. Nothing here imports scikit-learn, pandas or scipy, or runs anything a config names.
"""
