"""What works on this machine, what doesn't, and what to do: for `manage.py doctor`, its page and /readyz. Changes nothing."""
