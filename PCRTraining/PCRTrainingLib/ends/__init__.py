"""What a run ends with: the report of a selection, and the short table that a terminal shows. No torch here."""
