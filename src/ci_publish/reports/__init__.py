"""The output for people and machines: every report is a fold over the events of a run."""
