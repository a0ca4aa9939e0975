"""Pictures of the panels: for the documentation, and to look at."""
