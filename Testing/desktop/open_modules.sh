#!/bin/bash
# Runs a script on both modules in a real Slicer, without a screen:
# Testing/desktop/open_modules.sh folder/of/Slicer [predict_and_reopen.py "predicted and reopened"]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
script=${2:-open_modules.py}
last=${3:-both modules opened}
modules=("$root/PCRPredictor" "$root/PCRTraining") # or MODULES, where the extension's package is unpacked
if [ -n "${MODULES:-}" ]; then modules=("$(realpath "$MODULES")"); fi
output=$(mktemp)
xvfb-run --auto-servernum "$1/Slicer" --testing --no-splash --ignore-slicerrc \
  --additional-module-paths "${modules[@]}" \
  --python-script "$root/Testing/desktop/$script" 2>&1 | tee "$output"
grep --quiet "$last" "$output" # Slicer ends with 0, too, where it has not run the script
if grep "Traceback" "$output"; then
  echo "an error was printed" >&2
  exit 1
fi
# Slicer prints errors of Qt and VTK without their level; its log file has it. What drivers write to stderr ("Stream")
# and what Slicer logs before the script begins is not ours.
log=$(sed --quiet 's/^log file: //p' "$output" | tail --lines 1)
if sed --quiet '/BreastPCR: the test begins/,$p' "$log" \
  | grep --extended-regexp '^\[(ERROR|CRITICAL|FATAL)\]\[(Qt|VTK|Python)\]'; then
  echo "an error was logged" >&2
  exit 1
fi
