"""A whole acquisition in the styles of vendors."""
