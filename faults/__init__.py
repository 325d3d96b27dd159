"""Breaks the worker and what it stands on, and checks that nothing is lost and nothing doubled: see __main__.py."""
