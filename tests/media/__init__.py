"""Tests of fetching and decoding."""
