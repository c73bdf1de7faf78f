"""Where log files come from. Today: local files, folders, globs and standard input."""
