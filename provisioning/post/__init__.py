"""Letters to people: what they say, and how they leave the house.

Knows: the form of a mail (RFC 5322), an SMTP server (RFC 5321), and the folder that stands in for one.
Never knows: SQL, who may write to whom, or whether a letter has a reader.
Offers: `letters.Letter`, a module a kind of letter (`invitation`, `api_token`, `access_request`, `mapping_proposal`),
and two carriers: `smtp.Server` and `folder.Folder`.
"""
