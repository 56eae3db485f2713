"""Statistics of predictions: bootstrap intervals, paired tests, corrections and conclusions."""
