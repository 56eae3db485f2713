"""Texts that come with the package, and the program that generated them."""
