#!/bin/bash
# Opens both modules in a real Slicer, without a screen: Testing/desktop/open_modules.sh folder/of/Slicer
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
output=$(mktemp)
xvfb-run --auto-servernum "$1/Slicer" --testing --no-splash --ignore-slicerrc \
  --additional-module-paths "$root/PCRPredictor" "$root/PCRTraining" \
  --python-script "$root/Testing/desktop/open_modules.py" 2>&1 | tee "$output"
grep --quiet "both modules opened" "$output" # Slicer ends with 0, too, where it has not run the script
