"""What the labels are worth: the development set, real traces, and what must not move a label."""
