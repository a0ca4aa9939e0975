"""Networks that can stand behind the gate, from MONAI. A configuration or a bundle names one of this closed list."""
