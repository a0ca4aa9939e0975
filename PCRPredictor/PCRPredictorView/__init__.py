"""`pcr view`: exam, tumour, prediction and attention in a browser, drawn by Slicer's core on this machine.

`server.py` is what a browser talks to. Each page that is opened gets a process of its own (`process.py`), in which
`page.py` and the `*_section` files are what one sees and does; they use the library and its `mrml` files.
"""
