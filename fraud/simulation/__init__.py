"""A made-up affiliate program with known truth: `simulate(SimulationSpec(...))`, then `write(program, folder)`.

It knows nothing of detection, and detection knows nothing of it: they meet only through the files.
"""
