"""What `deploy` writes: templates, in which `$name` stands for what differs."""
