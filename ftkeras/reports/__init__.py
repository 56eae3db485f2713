"""Results as text and as plots for a reader."""
