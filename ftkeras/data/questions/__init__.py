"""Questions about texts, whose answers are parts of these texts."""
