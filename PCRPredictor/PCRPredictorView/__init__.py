"""`pcr view`: exam, tumour, prediction and attention in a browser, drawn by Slicer's core on this machine.

A browser talks to the server in `serving`, which starts a process for each page. In it, `page.py` holds a session
(`PCRPredictorLib.session`); the `*_section` files bind trame to that session, and `page_scene.py` shows its exam.
"""
