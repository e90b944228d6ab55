"""Rippling: the only member as an object, not as a list of one."""

from __future__ import annotations

from provisioning.dialects import values
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(name="rippling", calls_itself=("rippling",), sends=(values.single_element,))
