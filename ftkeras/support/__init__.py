"""Small helpers without knowledge of the rest of the package."""
