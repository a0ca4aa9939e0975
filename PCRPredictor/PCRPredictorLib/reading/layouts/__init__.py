"""Ways in which cohorts arrange their files."""
