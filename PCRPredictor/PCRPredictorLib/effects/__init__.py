"""What changes of the picture do to a prediction."""
