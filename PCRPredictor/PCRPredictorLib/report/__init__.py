"""A prediction for people: wording, pictures, and the HTML report."""
