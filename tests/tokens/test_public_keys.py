"""Which public keys are taken, and in which forms."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from provisioning.refusals import Invalid
from provisioning.tokens.public_keys import read

EC, RSA, OKP = ECKey.generate_key("P-256"), RSAKey.generate_key(2048), OKPKey.generate_key("Ed25519")


def pem_of(key) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


# Well-formed, on a curve (1.2.3.4) and of a kind (1.2.3.5) that nobody knows.
UNHEARD_OF = [
    f"-----BEGIN PUBLIC KEY-----\n{body}{'A' * 85}=\n-----END PUBLIC KEY-----\n"
    for body in ("MFQwDgYHKoZIzj0CAQYDKgMEA0IABA", "MEswBQYDKgMFA0IABA")
]


@pytest.mark.parametrize("key", [EC, RSA, OKP], ids=lambda key: key.key_type)
def test_a_key_is_the_same_as_pem_and_as_jwk_and_named_by_its_thumbprint(key):
    jwk = key.as_dict(private=False)
    as_jwk, as_pem = read(jwk), read(key.as_pem(private=False).decode())
    assert as_jwk == as_pem == {**jwk, "kid": key.thumbprint(), "use": "sig"}


def test_a_kid_and_an_algorithm_of_its_own_are_kept_and_nothing_else():
    sent = {**RSA.as_dict(private=False), "kid": "mine", "alg": "PS256", "x5u": "https://x.example", "note": "x"}
    assert sorted(read(sent)) == ["alg", "e", "kid", "kty", "n", "use"]
    assert (read(sent)["kid"], read(sent)["alg"]) == ("mine", "PS256")


@pytest.mark.parametrize(
    "sent",
    [
        EC.as_dict(private=True),
        RSA.as_dict(private=True),
        OKP.as_dict(private=True),
        RSA.as_pem(private=True).decode(),
        OctKey.generate_key(256).as_dict(private=True),
        {},
        {"kty": "EC"},
        {"kty": ["EC"]},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": 1, "y": 2},
        {"kty": "RSA", "n": "!!", "e": "AQAB"},
        {"kty": "RSA", "n": "A" * 20_000, "e": "AQAB"},
        ECKey.generate_key("P-384").as_dict(private=False),
        ECKey.generate_key("secp256k1").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        OKPKey.generate_key("Ed448").as_dict(private=False),
        pem_of(rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505 - it is to be refused
        {**EC.as_dict(private=False), "use": "enc"},
        {**EC.as_dict(private=False), "alg": "ES384"},
        {**EC.as_dict(private=False), "alg": "HS256"},
        {**EC.as_dict(private=False), "kid": 5},
        {**EC.as_dict(private=False), "kid": "x" * 201},
        {**EC.as_dict(private=False), "kid": "a\0b"},
        pem_of(x25519.X25519PrivateKey.generate().public_key()),
        pem_of(dsa.generate_private_key(1024).public_key()),  # noqa: S505 - it is to be refused
        *UNHEARD_OF,
        "",
        "ssh-rsa AAAA",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "A" * 20_000,
    ],
    # The same in each process of the tests, whatever the keys are.
    ids=lambda sent: type(sent).__name__,
)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_whatever_else_is_sent_is_refused_and_not_repeated(sent):
    with pytest.raises(Invalid) as refusal:
        read(sent)
    assert refusal.value.field == "key"
    assert len(refusal.value.sentence) < 120
