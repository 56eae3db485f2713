"""Text that comes with the package, and the generators that wrote it."""
