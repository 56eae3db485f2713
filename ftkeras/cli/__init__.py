"""The command line: flags, help pages and output. Only this package knows absl and prints."""
