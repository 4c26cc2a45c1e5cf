"""An Idempotency-Key is its tenant's, also where two callers are called alike."""

from uuid import uuid4

from api.auth.access_tokens import AccessTokens, Trust
from api.auth.issuer_keys import IssuerKeys
from tests.api.portal import Portal, open_portal
from tests.issuer import AUDIENCE, ISSUER, Issuer

CADENCE = {"schedule_type": "cron", "cron_expression": "0 2 * * *"}


async def test_two_people_of_one_name_in_two_tenants_do_not_share_a_key(offline: Portal):
    issuer = Issuer()
    trust = Trust(issuer=ISSUER, audience=AUDIENCE)
    portal = open_portal(offline.rig, offline.rig.client, tokens=AccessTokens(trust, IssuerKeys(issuer.key_set)))
    async with portal.http:

        async def preview(tenant_id: str, expression: str) -> tuple[int, bool]:
            token = issuer.good(sub="anna", tenant_id=tenant_id, scope="schedules:read")
            answer = await portal.http.post(
                "/schedules/preview",
                json={**CADENCE, "cron_expression": expression},
                headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "once"},
            )
            return answer.status_code, "Idempotency-Replayed" in answer.headers

        one, other = str(uuid4()), str(uuid4())
        assert await preview(one, "0 2 * * *") == (200, False)
        assert await preview(one, "0 2 * * *") == (200, True)
        assert await preview(other, "0 2 * * *") == (200, False)
        assert await preview(one, "0 3 * * *") == (422, False)
        assert await preview(str(uuid4()), "0 3 * * *") == (200, False)
