"""Public pages of transcripts, and the owner's side of them."""
