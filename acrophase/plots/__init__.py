"""Pictures that the command line writes, one subject a file, drawn without a display."""
