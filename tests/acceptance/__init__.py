"""The product's promises, kept by whole servers."""
