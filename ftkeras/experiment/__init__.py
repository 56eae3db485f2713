"""From a configuration to a trained and evaluated model."""
