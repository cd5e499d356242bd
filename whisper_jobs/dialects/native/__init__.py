"""/api/whisper/: the product's own API."""
