# `make demo` predicts a simulated exam, `make test` runs all tests. Both install what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SYSTEM_PACKAGES := libegl1 libgl1-mesa-dri libgl1 libxkbcommon0 libfontconfig1 libdbus-1-3 libglib2.0-0

BUILD := build/phantom-benchmark
# One folder or several, tables of more labelled patients, a column of sites per cohort; paths without spaces.
COHORT ?=
ROWS ?=
SITES ?=
ON_COHORT = $(or $(COHORT),$(error COHORT must be the folder of a cohort; give it as in make $@ COHORT=folder)) \
	$(addprefix --clinical-rows ,$(ROWS)) $(addprefix --sites ,$(SITES))

.PHONY: demo test lint docs quick fuzz benchmark benchmark-training benchmark-panel benchmark-view screenshots screens test-panels follow-pictures ohif-pictures rooms phantom-benchmark phantom-shortcuts federation-study federation-production experiment phantom-bundle story-models ispy2-bundle ispy2-selection ispy2-experiment response-bundle response-experiment setup system clean

demo: system $(VENV)/.usable
	$(BIN)/pcr demo --out demo-out

PYTEST := PYTHONUTF8=1 $(BIN)/pytest -n 2 --dist loadfile  # two files at a time; text is UTF-8 in any locale

test: setup lint
	$(PYTEST)

quick: setup
	$(PYTEST) -m "not slow"

# Random hostile input for ten minutes, which the formats share: make fuzz FUZZ=seconds FORMATS="bundle visits" SEED=first.
FUZZ ?= 600
FORMATS ?=
SEED ?= 0
fuzz: setup
	PYTHONPATH=Testing PYTHONUTF8=1 OMP_NUM_THREADS=1 $(BIN)/python -m fuzz --seconds $(FUZZ) --seed $(SEED) \
	  $(if $(FORMATS),--formats $(FORMATS))

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/ruff check --preview --select PLW1514 PCRPredictor PCRTraining
	@running=""; for system in linux win32 darwin; do \
	  $(BIN)/mypy --platform $$system --cache-dir .mypy_cache/$$system & running="$$running $$!"; done; \
	for process in $$running; do wait $$process || exit 1; done

benchmark: setup
	$(BIN)/python Testing/benchmarks/predict_speed.py

benchmark-panel: setup
	$(BIN)/python Testing/benchmarks/panel_speed.py

benchmark-view: setup
	$(BIN)/python Testing/benchmarks/view_speed.py

# The panels' tests on Slicer's own base classes: make test-panels SLICER=folder of Slicer's source tree.
PANEL_TESTS := $(addprefix Testing/Python/,predictor_panel predictor_desktop panel_visits station training_panel mrml saved) \
	$(addprefix Testing/Python/house/test_,desktop.py harness.py)
test-panels: setup
	SLICER_SOURCE_PYTHON="$(or $(SLICER),$(error SLICER must be a source tree of Slicer; give it as in make $@ SLICER=folder))/Base/Python" \
	  $(PYTEST) -m "not slow" $(PANEL_TESTS)

# Both panels on two screens, light and dark, into build/screens: look at them.
screens: setup
	$(BIN)/python Testing/harness/pictures/screens.py build/screens

screenshots: setup
	$(BIN)/python Testing/harness/pictures/screenshots.py Resources/Screenshots

# The pictures of a follow-up in the documentation: a simulated patient at three visits, the tumour gone at the last.
FOLLOW := build/follow
FOLLOWED := $(FOLLOW)/phantom/images/PHANTOM_A4_0001
FOLLOWED_MASK := $(FOLLOW)/phantom/segmentations/expert/phantom_a4_0001
follow-pictures: setup
	rm -rf $(FOLLOW)
	$(BIN)/pcr phantom $(FOLLOW)/phantom --patients 1 --visits 3 --seed 4 --full
	$(BIN)/pcr follow --visit T0 $(FOLLOWED)/T0 --visit T1 $(FOLLOWED)/T1 --visit T2 $(FOLLOWED)/T2 \
	  --mask T0 $(FOLLOWED_MASK)_T0.nii.gz --mask T1 $(FOLLOWED_MASK)_T1.nii.gz --mask T2 gone \
	  --day T0 0 --day T1 21 --day T2 92 --clinical age=50 hr=positive her2=negative --out $(FOLLOW)/result
	for name in comparison course; do $(BIN)/python -c "import sys; from PIL import Image; \
	  Image.open(sys.argv[1]).convert('RGB').save(sys.argv[2], quality=80, method=6)" \
	  $(FOLLOW)/result/$$name.png Resources/Screenshots/follow-$$name.webp || exit 1; done

# The picture of the rooms in Resources/Docs/developers.md, from the imports.
rooms: setup
	cd Testing && ../$(BIN)/python -m house.draw_rooms

# COHORT: a folder of exams; without it, exams are simulated.
benchmark-training: setup
	$(BIN)/python Testing/benchmarks/train_speed.py $(if $(COHORT),--cohort "$(COHORT)")

# Baselines and the three steps on simulated hospitals: 400 patients to train on, 100 held out, 400 of a second hospital.
phantom-benchmark: setup
	rm -rf $(BUILD)
	$(BIN)/pcr phantom $(BUILD)/A --patients 500 --site A --shortcut 0.6 --seed 1
	$(BIN)/pcr phantom $(BUILD)/B --patients 400 --site B --seed 2
	$(BIN)/pcr experiment $(BUILD)/A --external $(BUILD)/B --config Testing/benchmarks/phantom.json --out $(BUILD)/out

# Shortcuts of four kinds and two strengths, and rare response: about an hour of one core. It goes on where it stopped.
phantom-shortcuts: setup
	OMP_NUM_THREADS=1 $(BIN)/python Testing/benchmarks/phantom_shortcuts.py --out build/phantom-shortcuts

# Hospitals alone, pooled and federated: simulated ones, or real ones by their sites; arguments as in ispy2-bundle, and
# MORE for the script's own, such as MORE="--epochs 5 --clip 5 --noise 0.01".
federation-study: setup
	OMP_NUM_THREADS=1 $(BIN)/python Testing/benchmarks/federation/study.py --out build/federation-study \
	  $(if $(COHORT),--cohorts $(COHORT) --sites $(SITES) --out build/federation-study-real) $(MORE)

# A federation as in production on this machine, with a hospital that is killed and comes back; installs NVIDIA FLARE.
federation-production: setup
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[federated]"
	$(BIN)/python Testing/benchmarks/federation/production.py

# The same table on real exams: make experiment COHORT=folder [ROWS=table of more labelled patients].
experiment: setup
	$(BIN)/pcr experiment $(ON_COHORT) --out build/experiment

# The documentation as a site, in build/site.
docs: setup
	$(BIN)/mkdocs build --strict

phantom-bundle: setup
	$(BIN)/python -m PCRTrainingLib.runs.phantom_bundle Resources/Models/phantom

# The networks of pcr demo --story.
story-models: setup
	rm -rf Resources/Models/story
	$(BIN)/python -m PCRTrainingLib.runs.story_models Resources/Models/story

# The model trained on real exams: make ispy2-bundle COHORT="ispy2 duke" SITES="manufacturer cohort" ROWS="table table".
RECIPE := Resources/Recipes/ispy2
ispy2-bundle: setup
	rm -rf build/ispy2
	$(BIN)/pcr train $(ON_COHORT) --config $(RECIPE)/model.json --card $(RECIPE)/card.json --out build/ispy2
	rm -rf Resources/Models/ispy2
	cp -r build/ispy2/bundle Resources/Models/ispy2
	$(BIN)/pcr bundle verify ispy2

# How its configuration was chosen, and the tables of its results at sites that were left out; arguments as above.
ispy2-selection: setup
	$(BIN)/pcr select $(ON_COHORT) --leave-site-out $(addprefix --configs ,$(wildcard $(RECIPE)/candidates/*.json)) \
	  --out build/ispy2-selection

ispy2-experiment: setup
	$(BIN)/pcr experiment $(ON_COHORT) --leave-site-out --config $(RECIPE)/candidates/share-0.1.json --seeds 5 \
	  --without "step 2, no swap" --without "step 3, no swap" --out build/ispy2-experiment

# The model of the response to treatment: make response-bundle TABLES="visits.csv clinical.csv". The same tables give the
# same files, to the last digit.
TABLES ?=
RESPONSE := Resources/Recipes/response
ON_TABLES = $(or $(TABLES),$(error TABLES must be tables of patients at several visits; give them as in make $@ TABLES="a.csv b.csv"))
# What OHIF shows of a stored result: npm fetches it, Orthanc and Chromium run here. The real exam: --dicom and --mask.
ohif-pictures: SYSTEM_PACKAGES += chromium npm orthanc orthanc-dicomweb
ohif-pictures: setup
	$(BIN)/python Testing/benchmarks/pacs/ohif_pictures.py build/ohif --docs Resources/Screenshots

response-bundle response-experiment: export OMP_NUM_THREADS := 1
response-bundle: setup
	rm -rf build/response
	$(BIN)/pcr train $(ON_TABLES) --config $(RESPONSE)/model.json --card $(RESPONSE)/card.json --out build/response
	rm -rf Resources/Models/response
	cp -r build/response/bundle Resources/Models/response
	$(BIN)/pcr bundle verify response

# What each visit, quantity and variable is worth: the tables of Resources/Docs/response.md.
response-experiment: setup
	$(BIN)/python -m PCRTrainingLib.response.experiment $(ON_TABLES) --config $(RESPONSE)/model.json \
	  --out build/response-experiment

setup: system $(VENV)/.installed

# What the README shows, without what only tests and documentation need, which is a third of all. Modules are compiled when
# they are first used: to compile all of them takes half a minute.
INSTALL = $(BIN)/python -m pip install --quiet --no-compile -c constraints.txt
$(VENV)/.usable: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e ".[scene,view,dicom,cluster]"
	touch $@

$(VENV)/.installed: $(VENV)/.usable
	$(INSTALL) -e ".[scene,view,dicom,cluster,dev]"
	touch $@

test quick screenshots benchmark-view: SYSTEM_PACKAGES += chromium  # the browser in which they open pcr view
test quick: SYSTEM_PACKAGES += poppler-utils  # for pdftoppm, which shows how reports print
test quick: SYSTEM_PACKAGES += dicom3tools  # for dciodvfy, which checks the DICOM files
test quick: SYSTEM_PACKAGES += orthanc orthanc-dicomweb  # a real PACS for the tests, which start it themselves

# Debian packages for off-screen rendering and the tests: installed if allowed, otherwise named.
system:
	@command -v dpkg-query >/dev/null || exit 0; \
	missing=""; for p in $(SYSTEM_PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; \
	then exit 0; fi; \
	echo "To draw pictures and run every test: sudo apt-get install -y$$missing"

clean:
	rm -rf $(VENV) build demo-out
