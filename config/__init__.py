"""The site: environment, settings, broker, URL map, ASGI. Imports everything, is imported by nothing but entry points."""
