"""OpenAI's audio API, as its official clients use it."""
