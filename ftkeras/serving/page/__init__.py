"""The page of the server: what it shows, and the files that it is made of."""
