"""What people and machines read: folds over the events of a run."""
