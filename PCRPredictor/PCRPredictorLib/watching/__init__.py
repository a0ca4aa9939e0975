"""A PACS that is watched: new studies are predicted once each, and their results stored if that is asked for."""
