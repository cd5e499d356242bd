"""Who speaks when: diarizers behind one protocol; their libraries are imported only when one is loaded."""
