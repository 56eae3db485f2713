"""What a finished run becomes, one a file.

An exporter is made before training, so that it can refuse in time, from what it asks for by name:
`model`, `text_layer`, `labels`, `pairs`, `run_dir`, `served_from` (the folder of the task's
versions), `card` (gives the model card); its own keys come from the spec. `write()` writes the
model as it then is, checks it against what the run has measured, and returns the folder;
`message` is then a line about the result, or None.
"""
