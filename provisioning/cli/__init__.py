"""The command line: for operators, and for scripts.

Knows: words, options, exit codes, and how facts are printed for people and for programs.
Never knows: SQL and rules; a command calls the same verbs as every other door.
Offers: `main.main`.
"""
