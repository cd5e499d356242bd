"""The native API and its sockets."""
