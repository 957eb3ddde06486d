"""The command line: one file a verb, thin; the work is done in the other rooms."""
