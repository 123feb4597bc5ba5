"""`python -m hptune` is the command line."""

from hptune.cli import main

if __name__ == "__main__":
    main()
