"""The functions of the package `ftkeras`: the verbs, called from Python.

They turn arguments into the verbs' configurations, and what verbs return into objects for
notebooks. All work is done by the verbs.
"""
