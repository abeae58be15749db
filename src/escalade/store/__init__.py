"""SQL: synchronous functions of a transaction. Knows the domain and nothing else."""
