"""What verbs do from start to end, for verbs that share it."""
