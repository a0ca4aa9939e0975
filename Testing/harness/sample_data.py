"""Stand-in for Slicer's SampleData module: stores registered samples where Slicer stores them."""

import sys
import types

import slicer


class SampleDataLogic:
    @staticmethod
    def registerCustomSampleDataSource(category, sampleName, uris, fileNames, **source):
        if len(uris) != len(fileNames):  # Slicer, too, refuses None
            raise ValueError("All fields of sample data source must have the same length")
        kept = types.SimpleNamespace(sampleName=sampleName, uris=uris, **source)
        slicer.modules.sampleDataSources.setdefault(category, []).append(kept)

    def downloadSamples(self, name):
        """Download samples that have an address; as in Slicer, only their buttons call custom downloaders."""
        if _find(name).uris:
            raise NotImplementedError("the harness downloads nothing")
        return []

    def downloadSample(self, name):
        return self.downloadSamples(name)[0]

    @staticmethod
    def click(name):
        """Click the button of a sample; in the harness only."""
        source = _find(name)
        return source.customDownloader(source)


def _find(name):
    """Return the source that was last registered under a name."""
    return [
        source
        for sources in slicer.modules.sampleDataSources.values()
        for source in sources
        if source.sampleName == name
    ][-1]


def install():
    """Publish the module `SampleData`."""
    slicer.modules.sampleDataSources = {}
    module = types.ModuleType("SampleData")
    module.SampleDataLogic = SampleDataLogic
    sys.modules["SampleData"] = module
