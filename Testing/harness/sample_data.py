"""Stand-in for Slicer's SampleData module: keeps what is registered where Slicer keeps it."""

import sys
import types

import slicer


class SampleDataLogic:
    @staticmethod
    def registerCustomSampleDataSource(category, sampleName, uris, fileNames, **source):
        if len(uris) != len(fileNames):  # as Slicer does, which refuses None as well
            raise ValueError("All fields of sample data source must have the same length")
        kept = types.SimpleNamespace(sampleName=sampleName, uris=uris, **source)
        slicer.modules.sampleDataSources.setdefault(category, []).append(kept)

    def downloadSamples(self, name):
        """Download what has an address. As in Slicer, only a click on a sample's button calls its own downloader."""
        if _find(name).uris:
            raise NotImplementedError("the harness downloads nothing")
        return []

    def downloadSample(self, name):
        return self.downloadSamples(name)[0]

    @staticmethod
    def click(name):
        """What the button of a sample does; of the harness only."""
        source = _find(name)
        return source.customDownloader(source)


def _find(name):
    """The source that was registered last under a name."""
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
