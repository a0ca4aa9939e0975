"""The most that is read of files, in one place. What asks for more is refused in a sentence, before it takes memory.

Each is several times what an exam or a cohort needs: forty phases of 512 x 512 x 100 take 2 GB, a table of 20,000
patients with 100 columns 2 million cells.
"""

VOXELS = 4 << 30  # bytes of all voxels that a header promises
EXAM = 2 << 30  # bytes of the voxels of one exam that are held at a time: its three phases and a mask
BEHIND = 16 << 20  # bytes behind the voxels of a compressed file, such as an extension
PACKED = 200  # times that the voxels of an exam, or a DICOM data set, may be compressed; MRI is 2 to 10 times
FEW = 64 << 20  # bytes that may be compressed more, such as an empty mask
FRAMES = 20_000  # frames of a DICOM file
PIXELS = 4096 * 4096  # of a slice; MRI has 1024 x 1024 at most
DATASET = 512 << 20  # bytes of a DICOM data set that is deflated as a whole

TABLE = 100_000_000  # bytes of a text table, or of all parts of a workbook that are read, inflated
ROWS, COLUMNS, CELLS = 500_000, 16_384, 4_000_000  # of a table; a sheet has at most 16,384 columns
GRID = 10_000_000  # lines times columns: every patient has every column
CELL = 32_767  # characters of a cell, as in Excel

JSON = 10_000_000  # bytes of a text in JSON
DEPTH = 64  # of lists and objects in JSON, each inside the other
NUMBER = 400  # digits of a number in JSON
TEXT = 100_000  # characters of a name, a pattern or a comment in JSON

ANSWER = 128 << 20  # bytes of an answer in JSON of a PACS
STUDIES, INSTANCES = 10_000, 50_000  # of a search in a PACS, of a study
FETCHED = 32 << 30  # bytes of a study of a PACS
