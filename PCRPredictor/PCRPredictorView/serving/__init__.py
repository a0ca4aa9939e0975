"""The server of `pcr view`: what a browser may ask for, and a process for each page."""
