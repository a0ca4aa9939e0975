"""What a call does, apart from its options and printed lines: `pcr` and `import breastpcr` both call this."""
