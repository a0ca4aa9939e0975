"""The story: one simulated patient at two hospitals, and where networks look that were guided or not.

`facts` is what was measured when the bundled networks were trained, `scene` the patient with every network's map,
`page` and `picture` show them.
"""
