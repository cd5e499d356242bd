"""Wire contracts. Each folder translates one: requests in, responses out, and its own error envelope."""
