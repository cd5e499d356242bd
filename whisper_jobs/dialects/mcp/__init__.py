"""The Model Context Protocol at /mcp: assistants hand in recordings, search and quote them, in the name of a token's owner."""
