"""Two exams of one patient brought together: rigid registration, and masks carried from one exam to the other."""
