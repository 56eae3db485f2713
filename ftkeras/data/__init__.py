"""From a task's data to batches: sources, splits and folds, token ids on disk, and batching."""
