"""hptune beside the tuners one would take otherwise: fits and CPU seconds until their level is reached."""
