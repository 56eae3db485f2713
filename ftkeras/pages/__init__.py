"""The report page of a run: one file per section, and what writes them as one HTML file."""
