"""Camb.ai's API: its calls, its errors, and its own client."""
