"""Configurations: one frozen dataclass for each verb. Standard library only."""
