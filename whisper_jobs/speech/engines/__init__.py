"""Speech engines behind one protocol; their libraries are imported only when an engine is loaded."""
