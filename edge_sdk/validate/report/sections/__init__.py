"""The sections of the page: each takes a `Reading` and returns markup, whatever the details lack."""
