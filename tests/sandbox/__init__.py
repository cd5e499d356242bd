"""The sandbox: jobs whose end is made up."""
