"""What the views of the page are made of: arrangements, places in the patient, labels, keys."""
