"""The formats of JSON files."""
