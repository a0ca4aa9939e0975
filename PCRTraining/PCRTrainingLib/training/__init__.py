"""One fold of one step: losses, augmentation, the loop, inference, and the processes that share folds."""
