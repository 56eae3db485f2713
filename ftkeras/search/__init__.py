"""The search for a recipe: its space, the trials, their ledger, and what is told at the end."""
