"""Tools for the architecture: the graph of the rooms, and its picture."""
