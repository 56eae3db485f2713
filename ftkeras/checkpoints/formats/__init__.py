"""The file formats of published weights, one per file."""
