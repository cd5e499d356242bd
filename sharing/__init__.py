"""Public pages of transcripts, for whoever has the link."""
