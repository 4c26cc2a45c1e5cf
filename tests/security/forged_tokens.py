"""Access tokens that must not be accepted, of every class there is, to every route that wants to know who calls."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.auth.access_tokens import AccessTokens, Trust
from api.auth.issuer_keys import IssuerKeys
from bench.report import Target
from tests.api.forgeries import forgeries
from tests.api.portal import Portal
from tests.api.routes import PUBLIC, calls
from tests.issuer import AUDIENCE, ISSUER, Issuer
from tests.rig import add_tenant
from tests.security.offline import offline

CLASSES = 38
"""At least so many were promised."""

TRUST = Trust(issuer=ISSUER, audience=AUDIENCE, admin_claim="groups", admin_value="platform-team")


@dataclass
class Refused:
    """How often each class was tried, and where it was not refused as all are."""

    classes: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    told_apart: list[str] = field(default_factory=list)
    good_accepted: int = 0


async def attack(portal: Portal, issuer: Issuer, *, routes: int | None) -> Refused:
    """Against so many routes; None is all of them."""
    done, nonsense = (
        Refused(),
        (await portal.http.get("/tenants", headers={"Authorization": "Bearer nonsense"})).content,
    )
    wanting = [call for call in calls(portal.app) if call.path not in PUBLIC][:routes]
    for name, forge in forgeries():
        for call in wanting:
            headers = {b"Authorization": b"Bearer " + forge(issuer).encode()}
            answer = await portal.http.request(call.method, call.url, headers=headers)
            done.classes[name] += 1
            if answer.status_code != 401:
                done.accepted.append(f"{name}: {call.method} {call.path}: {answer.status_code}")
            elif answer.content != nonsense:
                done.told_apart.append(f"{name}: {answer.text}")
    for kid in issuer.keys:
        headers = {b"Authorization": b"Bearer " + issuer.good(kid).encode()}
        answer = await portal.http.get(f"/tenants/{issuer.tenant_id}", headers=headers)
        done.good_accepted += answer.is_success
    return done


async def run(*, quick: bool) -> Sequence[Target]:
    issuer = Issuer()
    async with offline(tokens=AccessTokens(TRUST, IssuerKeys(issuer.key_set))) as portal:
        add_tenant(portal.rig.stores, issuer.tenant_id)
        done = await attack(portal, issuer, routes=1 if quick else None)
    for line in (done.accepted + done.told_apart)[:20]:
        print(line)
    print(f"{done.classes.total()} forged tokens of {len(done.classes)} classes")
    return (
        Target("classes of forged tokens", len(done.classes), at_least=CLASSES),
        Target("forged tokens accepted", len(done.accepted), at_most=0),
        Target("forged tokens refused unlike the others", len(done.told_apart), at_most=0),
        Target("good tokens accepted, one for each key of the issuer", done.good_accepted, at_least=len(issuer.keys)),
    )
