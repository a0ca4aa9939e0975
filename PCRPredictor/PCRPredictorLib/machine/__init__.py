"""What `pcr doctor` looks at on this machine."""
