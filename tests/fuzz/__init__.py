"""Descriptions of the APIs of others, as far as they are spoken here, and a fuzzer that tries what they allow and what not."""
