"""What the verbs of the command line do, one verb a file; `hptune/cli.py` gives them their options."""
