"""The admin console: pages for operators, plain forms that need no script, everything of their own organisation."""
