"""Which texts to label next, and which labels to look at again."""
