"""The suite: what is true of all of it before anything else is imported."""

import os
import sys

# Hundreds of processes begin in a run, and each would compile all of our modules anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
