"""Example studies. Each YAML here runs as it is: `hptune run configs/three_models.yaml`."""
