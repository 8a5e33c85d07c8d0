"""What people and machines read: every report is a fold over the events of a run."""
