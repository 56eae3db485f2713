"""Tables: files of examples with columns, in whatever format they come.

`open_tables` finds the files and picks a reader by their content. A reader says what it detected
(`notes`), names the columns, and streams the rows. `profile` looks at every row once, and
`inference` decides which column is the text and which is the label.
"""
