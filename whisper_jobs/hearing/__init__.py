"""Live sessions: one process that holds them all, the ears that read for it, and the line by which others reach it."""
