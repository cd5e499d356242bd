"""Tests of the guard that every outbound connection passes."""
