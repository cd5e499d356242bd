"""People and their keys: users, permissions, JWT, personal tokens."""
