"""The kinds of variables that a model reads beside the image: a number, or one of a list of values."""
