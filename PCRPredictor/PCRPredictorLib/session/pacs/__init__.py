"""A PACS beside the open exam: a study found and opened, and a result stored, for page and panel alike."""
