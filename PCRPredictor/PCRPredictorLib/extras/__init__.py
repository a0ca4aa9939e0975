"""What is installed only for those who need it, and the line that installs it."""
