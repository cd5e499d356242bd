"""Sockets for pages and API clients: join, snapshot, then changes as they are stored."""
