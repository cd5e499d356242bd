"""What is asked of language models and what is made of their answers. Plain Python: no Django, no settings."""
