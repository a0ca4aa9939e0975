"""Where the tumour is: grown from a click, or found in the whole exam; what enhances, and what it looks like."""
