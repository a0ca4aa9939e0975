"""The whole command `pcr`: the subcommands of prediction, the page, and those for cohorts."""

from PCRPredictorLib.command_line import app, main, run, silence_libraries, use_utf8
from PCRPredictorLib.commands.deferred import Deferred

__all__ = ["app", "main", "run", "silence_libraries", "use_utf8"]

_SUBCOMMANDS = (
    Deferred(
        "view",
        "PCRPredictorView.command_line:view",
        "Show exams, predictions and attention in a browser, drawn by Slicer's core on this machine.",
    ),
    Deferred(
        "init",
        "PCRTrainingLib.commands.init:init",
        "Look at a folder and write a cohort.json that describes it; pcr check comes next.",
    ),
    Deferred(
        "check",
        "PCRTrainingLib.commands.check:check",
        "List every problem with the patients that have it, also images in two cohorts; exit code 1 if there is any.",
    ),
    Deferred(
        "label",
        "PCRTrainingLib.commands.label:label",
        "Enter whether a patient had pCR; it is kept beside the table and counts instead of it.",
    ),
    Deferred(
        "estimate",
        "PCRTrainingLib.commands.estimate:estimate",
        "Estimate time and memory of a training run on this machine, from a few batches of each step.",
    ),
    Deferred(
        "train",
        "PCRTrainingLib.commands.train:train",
        "Train the curriculum on cohorts: global, attention, clinical. Leaves OUT/bundle.",
    ),
    Deferred(
        "select",
        "PCRTrainingLib.commands.select:select",
        "Choose among configurations by nested cross-validation; the result is of patients no choice has seen.",
    ),
    Deferred(
        "evaluate",
        "PCRTrainingLib.commands.evaluate:evaluate",
        "Evaluate models on cohorts: metrics with intervals, comparison, calibration, subgroups and attention.",
    ),
    Deferred(
        "experiment",
        "PCRTrainingLib.commands.experiment:experiment",
        "Compare baselines with the curriculum, step by step, with seeds and external cohorts.",
    ),
    Deferred(
        "federate",
        "PCRTrainingLib.commands.federate:federate",
        "Train across hospitals that share no patients (NVIDIA FLARE).",
    ),
    Deferred(
        "import",
        "PCRTrainingLib.commands.import_dicom:import_dicom",
        "Turn a folder with the DICOM of many patients into a cohort. Run it again to continue after a stop.",
    ),
    # those of prediction, with what training adds to them
    Deferred("follow", "PCRTrainingLib.commands.follow:follow", app.commands["follow"].help or ""),
    Deferred("bundle", "PCRTrainingLib.commands.recalibrate:bundle", app.commands["bundle"].help or ""),
)
for subcommand in _SUBCOMMANDS:
    app.add_command(subcommand)


if __name__ == "__main__":
    main()
