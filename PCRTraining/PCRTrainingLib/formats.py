"""The number `format` of each JSON file that programs read; `Resources/Docs/files.md` says what raises one."""

RESULTS = 1  # of `summary.json` and `evaluation.json`
EXPERIMENT = 1  # of `experiment.json`
SELECTION = 1  # of `selection.json`
RUN = 1  # of `run.json`
