"""Training across hospitals that share no patients: NVIDIA FLARE moves weights, counts and metrics, nothing else."""
