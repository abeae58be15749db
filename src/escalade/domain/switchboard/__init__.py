"""Who may answer: every rule that moves control is here, and nowhere else."""
