"""What to keep of a text that is too long."""
