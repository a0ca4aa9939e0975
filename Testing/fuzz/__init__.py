"""Hostile input: `make fuzz` mutates every kind of input, and `Testing/Python/fuzz` runs the known attacks.

A format (`format.Format`) writes intact inputs, mutates them and names the commands that read them. Each input is read
in a forked child (`sandbox`), and its ending is judged (`judge`). A finding becomes an attack of its format.
"""
