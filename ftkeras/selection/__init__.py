"""Choose texts to label next, and labels to look at again."""
