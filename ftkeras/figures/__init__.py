"""The parts of report pages as plain data, and the plots among them, drawn with matplotlib."""
