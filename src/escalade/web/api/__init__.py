"""The developer API below `/api/v1`: its routes by noun, and the shapes they take."""
