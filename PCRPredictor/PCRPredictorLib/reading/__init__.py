"""From files and tables to an exam: images, cohorts, and what a folder can be opened as."""
