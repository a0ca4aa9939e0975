"""Time-intensity curves of all phases of an exam, and the kinetic map of a lesion."""
