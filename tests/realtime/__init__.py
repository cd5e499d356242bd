"""The Realtime API: transcription sessions over a WebSocket."""
