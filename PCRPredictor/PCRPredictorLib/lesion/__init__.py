"""The tumour mask: measured, checked and varied, without a network."""
