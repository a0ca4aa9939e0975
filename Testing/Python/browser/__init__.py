"""Tests in a browser; a package, so that its fixtures are shared and then closed."""
