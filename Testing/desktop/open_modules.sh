#!/bin/bash
# Runs a script on both modules in a real Slicer, without a screen:
# Testing/desktop/open_modules.sh folder/of/Slicer [predict_and_reopen.py "predicted and reopened"]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
script=${2:-open_modules.py}
last=${3:-both modules opened}
output=$(mktemp)
xvfb-run --auto-servernum "$1/Slicer" --testing --no-splash --ignore-slicerrc \
  --additional-module-paths "$root/PCRPredictor" "$root/PCRTraining" \
  --python-script "$root/Testing/desktop/$script" 2>&1 | tee "$output"
grep --quiet "$last" "$output" # Slicer ends with 0, too, where it has not run the script
if grep --extended-regexp "Traceback|^ERROR|\[(ERROR|CRITICAL|FATAL)\]" "$output"; then
  echo "an error was printed" >&2
  exit 1
fi
