"""Words while somebody speaks: what is to be read next, and what of it may be told as final. No clock, no thread, no Django."""
