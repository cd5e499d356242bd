"""Bringing recordings in: fetching and decoding, each in a child process with limits. No Django, no settings."""
