"""What one owner may have, who is next, and how long it will take."""
