"""Tests of the processes of a server, with real processes."""
