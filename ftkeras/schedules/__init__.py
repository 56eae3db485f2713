"""Learning rates over a run, one a file.

A schedule takes `peak`, the rate where the warm-up ends (--learning_rate), and where it needs them
`total_steps`, the optimizer updates after the warm-up, and `warmup`, those of the warm-up; its own
keys come from the spec. Calling it with the number of updates already made since the warm-up, a
scalar (), gives the rate of the next one, a float32 scalar (). The warm-up itself is joined in
front by `_warmup.Warmup`; a class that says `rises = True` has a rise of its own and takes none.
One that must hear of validation offers `callback()`, which whoever trains adds to `fit`, and keeps
what it heard in `variables`.
"""
