"""Stand-in for Slicer's SampleData module: keeps what is registered, and makes it on demand."""

import sys
import types

SOURCES = {}


class SampleDataLogic:
    @staticmethod
    def registerCustomSampleDataSource(category, sampleName, uris, fileNames, **source):
        if len(uris) != len(fileNames):  # as Slicer does, which refuses None as well
            raise ValueError("All fields of sample data source must have the same length")
        SOURCES[sampleName] = {"category": category, **source}

    def downloadSample(self, name):
        return SOURCES[name]["customDownloader"](types.SimpleNamespace(sampleName=name))


def install():
    """Publish the module `SampleData`."""
    module = types.ModuleType("SampleData")
    module.SampleDataLogic = SampleDataLogic
    sys.modules["SampleData"] = module
