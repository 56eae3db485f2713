"""On which devices, and on how many machines, a run takes place: one file a way.

A strategy takes its spec's keys and gives `open()`, which looks at the machine and returns the
`Devices` that all else is built on. Called once in a process, before TensorFlow does anything.
"""
