"""Read texts with their entities: CoNLL files, and tables with tags or spans."""
