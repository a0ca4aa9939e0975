"""Models on disk, whatever kind they are: where they are found, and that no file was changed."""
