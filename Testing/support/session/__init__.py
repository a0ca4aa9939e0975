"""Sessions without a widget."""
