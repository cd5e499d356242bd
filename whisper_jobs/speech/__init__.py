"""Audio in, transcript out, as plain Python: knows no Django, no Celery, no settings; every value is passed in."""
