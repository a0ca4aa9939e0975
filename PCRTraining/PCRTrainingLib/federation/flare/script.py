"""The training script of FLARE's Client API at a hospital; it is run by its path, so imports are absolute."""

from PCRTrainingLib.federation.flare.site import answer_tasks

if __name__ == "__main__":
    answer_tasks()
