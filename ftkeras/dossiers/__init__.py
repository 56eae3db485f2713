"""The dossier of a finished run: one file per part, and the clauses that the parts answer."""
