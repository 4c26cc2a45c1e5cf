"""What an access token must be, at each bound and by the word for which it is refused: without a request."""

import time
from typing import Any

import jwt
import pytest
from structlog.testing import capture_logs

from api.auth.access_tokens import AccessTokens, Bearing, Trust
from api.auth.issuer_keys import IssuerKeys
from domain.callers.access import Scope
from domain.errors import Forbidden, Unauthenticated
from tests.api.forgeries import forgeries
from tests.issuer import AUDIENCE, ISSUER, Issuer, described, rsa_key, signature, token

DAY = 24 * 3600
TRUST = Trust(issuer=ISSUER, audience=AUDIENCE)
PLATFORM = Trust(issuer=ISSUER, audience=AUDIENCE, admin_claim="groups", admin_value="platform-team")
ISSUED = Issuer()
KEYS = IssuerKeys(ISSUED.key_set)


class ShortKey(IssuerKeys):
    """Has let a key in that is too short."""

    def __init__(self) -> None:
        """Fetch nothing."""

    def find(self, kid: str) -> jwt.PyJWK:
        return jwt.PyJWK(described(rsa_key("short", 1024), kid), "RS256")


def bearing(text: str, trust: Trust = TRUST, keys: IssuerKeys = KEYS) -> Bearing:
    return AccessTokens(trust, keys).verify(text)


def refused_for(text: str, trust: Trust = TRUST, keys: IssuerKeys = KEYS) -> str:
    """The word in the log."""
    with capture_logs() as logged, pytest.raises(Unauthenticated):
        bearing(text, trust, keys)
    [entry] = logged
    assert entry["event"] == "token.refused"
    return str(entry["reason"])


def test_every_forgery_is_refused():
    for _, forge in forgeries():
        refused_for(forge(ISSUED))


def test_what_a_good_token_says():
    ends = int(time.time()) + 300
    found = bearing(ISSUED.good(scope="openid accounts:read keys:admin", exp=ends))
    assert (found.subject, found.tenant_id, found.platform) == ("auth0|user-1", ISSUED.tenant_id, False)
    assert found.scopes == {Scope("accounts:read"), Scope("keys:admin")}
    assert found.expires_at == time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(ends))
    assert bearing(ISSUED.good("ec-1")).subject == found.subject


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"typ": "JWT"}, "typ"),
        ({"typ": None}, "typ"),
        ({"alg": "RS512"}, "alg"),
        ({"alg": "none"}, "alg"),
        ({"kid": "stranger"}, "kid"),
        ({"crit": ["b64"], "b64": True}, "crit"),
    ],
)
def test_a_header_is_refused_before_its_signature_is_looked_at(header: dict[str, Any], word: str):
    assert refused_for(token({**ISSUED.header(), **header}, ISSUED.claims(), ISSUED.signer())) == word


def test_a_token_without_a_kid_is_of_no_key_whatever_the_keys_are_called():
    issuer = Issuer(keys={"X": ISSUED.keys["rsa-1"], "None": ISSUED.keys["rsa-1"]})
    nameless = token({"alg": "RS256", "typ": "at+jwt"}, issuer.claims(), issuer.signer("X"))
    assert refused_for(nameless, keys=IssuerKeys(issuer.key_set)) == "kid"


def test_a_text_is_ascii_and_of_bounded_length():
    assert refused_for(ISSUED.good() + "é") == "form"
    assert refused_for("x" * 8192) == "DecodeError"
    assert refused_for("x" * 8193) == "form"


def test_a_key_that_is_too_short_verifies_nothing_even_when_it_got_in():
    signed = token(ISSUED.header(), ISSUED.claims(), lambda signed: signature(rsa_key("short", 1024), signed))
    assert refused_for(signed, keys=ShortKey()) == "InvalidKeyError"


def test_a_token_lives_for_a_day_at_most():
    now = int(time.time())
    assert bearing(ISSUED.good(iat=now, exp=now + DAY))
    assert refused_for(ISSUED.good(iat=now, exp=now + DAY + 1)) == "lifetime"


def test_a_clock_may_be_off_by_thirty_seconds_and_no_more():
    for _ in range(100):
        second = int(time.time())
        late, too_late = ISSUED.good(iat=second - 300, exp=second - 29), ISSUED.good(iat=second - 300, exp=second - 30)
        outcomes = accepted(late), accepted(too_late)
        if int(time.time()) == second:  # or else the clock moved on under the test
            break
    assert outcomes == (True, False)
    assert refused_for(ISSUED.good(iat=int(time.time()) + 33)) == "ImmatureSignatureError"


def accepted(text: str) -> bool:
    try:
        bearing(text)
    except Unauthenticated:
        return False
    return True


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_a_type_is_compared_as_media_types_are(kind: str):
    assert accepted(ISSUED.odd(typ=kind))


@pytest.mark.parametrize("name", ["iat", "exp", "nbf"])
def test_a_time_is_a_number_and_no_text_of_one(name: str):
    now = int(time.time())
    assert refused_for(ISSUED.good(**{name: str(now + 60 if name == "exp" else now)})) == "times"


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "sub", "client_id", "jti"])
def test_no_claim_of_the_standard_may_be_missing(name: str):
    missing: dict[str, Any] = {name: None}
    assert refused_for(ISSUED.good(**missing)) == "MissingRequiredClaimError"


@pytest.mark.parametrize(("subject", "taken"), [("x" * 255, True), ("x" * 256, False), ("a b", False), ("é", False)])
def test_a_subject_can_stand_in_the_audit_trail(subject: str, taken: bool):
    text = ISSUED.good(sub=subject)
    assert bearing(text).subject == subject if taken else refused_for(text) == "sub"


@pytest.mark.parametrize("tenant", [None, "", 7, "platform", "*", "00000000-0000-4000-8000-00000000000A"])
def test_a_token_of_no_tenant_gives_no_access(tenant: Any):
    with pytest.raises(Forbidden):
        bearing(ISSUED.good(tenant_id=tenant))


@pytest.mark.parametrize(
    "trust",
    [
        TRUST,
        Trust(issuer=ISSUER, audience=AUDIENCE, admin_claim="groups"),
        Trust(issuer=ISSUER, audience=AUDIENCE, admin_value="platform-team"),
    ],
    ids=["neither", "no value", "no claim"],
)
@pytest.mark.parametrize("groups", ["platform-team", [None], None])
def test_nobody_acts_for_the_platform_where_no_claim_with_its_value_is_configured(trust: Trust, groups: Any):
    claims = {"groups": groups, "null": "platform-team", "scope": "tenants:admin"}
    found = bearing(ISSUED.good(**claims), trust)
    assert (found.platform, found.scopes) == (False, frozenset())
    with pytest.raises(Forbidden):
        bearing(ISSUED.good(tenant_id=None, **claims), trust)


def test_only_the_value_that_is_configured_makes_a_caller_the_platforms():
    groups: Any
    for groups in ("platform-team", ["other", "platform-team"]):
        found = bearing(ISSUED.good(tenant_id=None, groups=groups, scope="tenants:admin"), PLATFORM)
        assert (found.platform, found.tenant_id) == (True, None)
        assert found.scopes == {Scope("tenants:admin")}
    others: list[Any] = [None, "platform-teams", ["x"], {"platform-team": True}, [["platform-team"]]]
    for groups in others:
        assert not bearing(ISSUED.good(groups=groups), PLATFORM).platform
    assert refused_for(ISSUED.good(groups="platform-team"), PLATFORM) == "both_platform_and_tenant"


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ("openid accounts:read", True),
        (["accounts:read", 7, None], True),
        ("ACCOUNTS:READ accounts:read:all", False),
        ({"accounts:read": True}, False),
        ([["accounts:read"]], False),
        (None, False),
        (7, False),
    ],
)
def test_scopes_are_words_of_a_text_or_of_a_list(scope: Any, held: bool):
    assert bearing(ISSUED.good(scope=scope)).scopes == ({Scope("accounts:read")} if held else set())


def test_the_claims_have_the_names_that_are_configured():
    trust = Trust(issuer=ISSUER, audience=AUDIENCE, tenant_claim="org", scopes_claim="can")
    found = bearing(ISSUED.good(tenant_id="7", org=ISSUED.tenant_id, scope="keys:admin", can="accounts:read"), trust)
    assert found.tenant_id == ISSUED.tenant_id
    assert found.scopes == {Scope("accounts:read")}
