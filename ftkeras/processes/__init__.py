"""Processes that run in parallel or as children of this one."""
