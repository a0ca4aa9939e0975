"""One fold of one step: loss, augmentation, the loop, inference, processes (guidance losses: `guidance`)."""
