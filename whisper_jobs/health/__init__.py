"""Signs of life for supervisors, load balancers and scripts: is the process up, and is the whole server ready."""
