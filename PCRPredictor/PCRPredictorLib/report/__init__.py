"""What people see of a prediction: wording, pictures, and the HTML report."""
