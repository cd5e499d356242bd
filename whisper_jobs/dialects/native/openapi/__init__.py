"""The published description of the API: shapes of answers, what each call does, and the pages that show it."""
