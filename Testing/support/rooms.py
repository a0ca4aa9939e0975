"""The rooms of the libraries, and which of them each may import."""

_CORE = {"PCRPredictorLib", "PCRPredictorLib/backbones", "PCRPredictorLib/extras", "PCRPredictorLib/variables"}
_FILES = _CORE | {"PCRPredictorLib/files"}
_READING = _FILES | {
    "PCRPredictorLib/dicom",
    "PCRPredictorLib/lesion",
    "PCRPredictorLib/reading",
    "PCRPredictorLib/reading/layouts",
}
_MODEL = _FILES | {"PCRPredictorLib/bundles", "PCRPredictorLib/lesion", "PCRPredictorLib/model"}
_CURVES = _CORE | {"PCRPredictorLib/curves"}
_REPORT = _MODEL | _CURVES | {"PCRPredictorLib/report"}
_RESPONSE = _MODEL | {"PCRPredictorLib/response"}
_SHIFT = _REPORT | {"PCRPredictorLib/shift"}
_STORY = _REPORT | {"PCRPredictorLib/phantom", "PCRPredictorLib/story"}
_APART = {"PCRPredictorLib/finding", "PCRPredictorLib/effects", "PCRPredictorLib/registration"}
_VISITS = _READING | _RESPONSE | {"PCRPredictorLib/registration", "PCRPredictorLib/visits"}
_FOLLOW = _REPORT | _RESPONSE | {"PCRPredictorLib/registration", "PCRPredictorLib/follow"}
_ENGINE = {"PCRPredictorLib/engine"}
_SAVED = {"PCRPredictorLib/saved"}
_LOW = _ENGINE | _SAVED | _READING | _SHIFT | _STORY | _RESPONSE | _APART | _VISITS | _FOLLOW
_OUTPUTS = _LOW | {"PCRPredictorLib/dicom/objects", "PCRPredictorLib/mrml", "PCRPredictorLib/outputs"}
_CALLS = _OUTPUTS | {"PCRPredictorLib/calls"}
_ARCHIVE = _OUTPUTS | {"PCRPredictorLib/archive"}
_PACS = _CALLS | {"PCRPredictorLib/pacs"}
_WATCHING = _ARCHIVE | _PACS | {"PCRPredictorLib/watching"}
_COMMANDS = _WATCHING | {"PCRPredictorLib/commands"}
_DATA = _LOW | {"PCRTrainingLib"}
_TRAINING = _DATA | {"PCRTrainingLib/cohort", "PCRTrainingLib/statistics"}
_EVALUATION = _TRAINING | {"PCRTrainingLib/training"}
_ADAPTATION = _EVALUATION | {"PCRTrainingLib/evaluation"}
_RUNS = _ADAPTATION | {"PCRTrainingLib/adaptation"}
MAY_IMPORT = {
    "PCRPredictorLib": _CORE,
    "PCRPredictorLib/backbones": _CORE,
    "PCRPredictorLib/extras": _CORE,
    "PCRPredictorLib/variables": _CORE,
    "PCRPredictorLib/bundles": _FILES | {"PCRPredictorLib/bundles"},
    "PCRPredictorLib/files": _CORE,
    "PCRPredictorLib/curves": _CURVES,
    "PCRPredictorLib/dicom": _FILES,
    "PCRPredictorLib/dicom/objects": _FILES | _RESPONSE | {"PCRPredictorLib/dicom"},
    "PCRPredictorLib/reading": _READING,
    "PCRPredictorLib/reading/layouts": _READING,
    "PCRPredictorLib/finding": _CORE | {"PCRPredictorLib/finding", "PCRPredictorLib/lesion"},
    "PCRPredictorLib/phantom": _CORE | {"PCRPredictorLib/lesion"},
    "PCRPredictorLib/lesion": _CORE,
    "PCRPredictorLib/model": _FILES | {"PCRPredictorLib/bundles", "PCRPredictorLib/lesion"},
    "PCRPredictorLib/effects": _MODEL,
    "PCRPredictorLib/engine": _CORE,
    "PCRPredictorLib/machine": _FILES | {"PCRPredictorLib/bundles", "PCRPredictorLib/pacs"},
    "PCRPredictorLib/registration": _CORE | {"PCRPredictorLib/lesion"},
    "PCRPredictorLib/report": _REPORT,
    "PCRPredictorLib/response": _RESPONSE,
    "PCRPredictorLib/follow": _FOLLOW | {"PCRPredictorLib/dicom/objects"},
    "PCRPredictorLib/story": _STORY,
    "PCRPredictorLib/visits": _VISITS,
    "PCRPredictorLib/mrml": _REPORT | {"PCRPredictorLib/follow"},
    "PCRPredictorLib/mrml/marks": _CORE | {"PCRPredictorLib/mrml"},
    "PCRPredictorLib/shift": _SHIFT,
    "PCRPredictorLib/saved": _FILES,
    "PCRPredictorLib/session": _LOW,
    "PCRPredictorLib/session/course": _LOW | {"PCRPredictorLib/session"},
    "PCRPredictorLib/session/pacs": _PACS | {"PCRPredictorLib/session"},
    "PCRPredictorLib/outputs": _OUTPUTS,
    "PCRPredictorLib/archive": _ARCHIVE,
    "PCRPredictorLib/calls": _OUTPUTS,
    "PCRPredictorLib/pacs": _PACS,
    "PCRPredictorLib/watching": _WATCHING,
    "PCRPredictorLib/commands": _WATCHING | {"PCRPredictorLib/machine"},
    "PCRPredictorLib/command_line": _COMMANDS,
    "PCRTrainingLib": _LOW,
    "PCRTrainingLib/cohort": _DATA,
    "PCRTrainingLib/intake": _DATA | {"PCRTrainingLib/cohort"},
    "PCRTrainingLib/statistics": _DATA,
    "PCRTrainingLib/training": _TRAINING,
    "PCRTrainingLib/evaluation": _EVALUATION,
    "PCRTrainingLib/adaptation": _ADAPTATION,
    "PCRTrainingLib/ends": _ADAPTATION,
    "PCRTrainingLib/runs": _RUNS | {"PCRTrainingLib/ends"},
    "PCRTrainingLib/federation": _RUNS | {"PCRTrainingLib/runs", "PCRTrainingLib/federation/flare"},
    "PCRTrainingLib/federation/flare": _DATA | {"PCRTrainingLib/federation"},
    "PCRTrainingLib/visit_tables": _DATA | {"PCRTrainingLib/intake", "PCRTrainingLib/visit_tables"},
    "PCRTrainingLib/response": _RUNS | {"PCRTrainingLib/response", "PCRTrainingLib/visit_tables"},
    "PCRTrainingLib/calls": _RUNS | {"PCRTrainingLib/runs", "PCRTrainingLib/response", "PCRTrainingLib/visit_tables"},
    "PCRTrainingLib/commands": _RUNS
    | {"PCRTrainingLib/ends", "PCRTrainingLib/runs", "PCRTrainingLib/intake", "PCRTrainingLib/response"}
    | {"PCRTrainingLib/visit_tables", "PCRTrainingLib/federation", "PCRPredictorLib/commands", "PCRTrainingLib/calls"},
    "breastpcr": _RUNS | _CALLS | {"PCRTrainingLib/calls"},
    "PCRTrainingLib/command_line": {
        "PCRTrainingLib/commands",
        "PCRPredictorLib/command_line",
        "PCRPredictorLib/commands",
        "PCRPredictorView",
    },
}
JOINING = {room for room in MAY_IMPORT if room.endswith(("/outputs", "/command_line"))}  # files that join the rooms
