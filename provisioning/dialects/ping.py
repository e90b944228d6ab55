"""PingFederate and PingOne: nothing deviates in their bodies; their filters may lack quotation marks."""

from __future__ import annotations

from provisioning.dialects import filters
from provisioning.dialects.dialect import Dialect

DIALECT = Dialect(
    name="ping",
    calls_itself=("pingone", "pingfederate"),
    sends=(filters.text_without_quotation_marks,),
    documented=("https://docs.pingidentity.com/integrations/scim/pf_scim_connector.html",),
)
