"""Tests read as sentences: first the happy path of a verb, then one per refusal."""
