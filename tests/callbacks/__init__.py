"""Callbacks: what they say, how they are signed, sent, tried again, refused and shown."""
