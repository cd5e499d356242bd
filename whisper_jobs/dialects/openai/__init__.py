"""OpenAI's audio API under /v1/: what its official clients send and read."""
