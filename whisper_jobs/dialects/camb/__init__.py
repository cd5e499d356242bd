"""Camb.ai's transcription API under /apis/."""
