"""The tests in a browser; a package, so that they share its fixtures and end them."""
