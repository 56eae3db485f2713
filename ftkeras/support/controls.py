"""Characters that are not part of a text's content, but control what shows it."""

# For a class of a regular expression: control characters except tabs and line feeds, and the halves
# of surrogate pairs. No break, joiner or blank of any script is among them.
CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff"
# What reverses the characters behind it, beyond the end of its text.
REVERSING = r"\u202a-\u202e\u2066-\u2069"
