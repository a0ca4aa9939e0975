"""Broken and hostile files: each kind is a function that writes one, of some 100 kB at most."""
