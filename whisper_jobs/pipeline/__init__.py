"""The steps of a job, each a function of its run, and the loop that works a lane. Start with run.py."""
