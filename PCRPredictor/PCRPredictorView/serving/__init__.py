"""What a browser talks to: the server, its guard, and a process for each page."""
