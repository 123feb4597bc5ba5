"""What a finished study says beyond its best trial, computed from its history alone. Loads scipy when first asked."""
