"""`?dry_run=true`: the answer that a credential would get, and nothing else."""

from api.http.hardening import Edge
from api.http.rate_limits import Rates
from domain.errors import Throttled
from tests.api.portal import Portal, codes, idempotent, open_portal
from tests.fakes_clouds import ACCOUNT_NUMBER, ROLE_ARN, limited, refused

URL = "/onboarding/aws/validate"


async def tried(portal: Portal, account_id: str, key: str | None = None, **credentials: str):
    body = {
        "account_id": account_id,
        "auth_method": "iam_role",
        "credentials": credentials or {"role_arn": ROLE_ARN},
    }
    return await portal.http.post(URL, params={"dry_run": "true"}, json=body, headers=idempotent(key))


async def test_a_good_credential_is_told_so_and_the_account_still_waits(portal: Portal) -> None:
    account_id = await portal.started()
    answer = await tried(portal, account_id)
    body = answer.json()
    assert (answer.status_code, body["success"], body["account_number"]) == (200, True, ACCOUNT_NUMBER)
    assert body["message"] == "The credential works. This was a dry run: nothing was stored."
    assert [step["status"] for step in body["steps"]] == ["passed"] * 5
    state = await portal.state(account_id)
    assert (state["state"], state["attempts"]) == ("waiting_for_credential", 0)
    assert portal.rig.stores.vault.stages(account_id) == {}


async def test_a_refusal_is_answered_like_a_real_one_and_counts_as_no_attempt(portal: Portal) -> None:
    portal.rig.script(refused())
    account_id = await portal.started()
    answer = await tried(portal, account_id)
    assert answer.status_code == 400
    assert answer.json()["detail"]["problems"][0]["step"] == "identify"
    assert (await portal.state(account_id))["attempts"] == 0


async def test_it_says_the_status_that_the_account_would_have(portal: Portal) -> None:
    portal.rig.script(limited("securityhub:DescribeHub"))
    assert (await tried(portal, await portal.started())).json()["status"] == "active_limited"


async def test_a_wrong_shape_starts_nothing(portal: Portal) -> None:
    answer = await tried(portal, await portal.started(), role_arn="no")
    assert (answer.status_code, codes(answer)) == (400, ["bad_format"])
    assert portal.rig.provider.calls == []


async def test_a_cloud_that_stays_away_is_said_to_be_so(portal: Portal) -> None:
    portal.rig.script(*[Throttled(retry_after=5)] * 3)
    answer = await tried(portal.hurried(validate_wait_seconds=1.5), await portal.started())
    assert answer.status_code in (429, 503)
    assert "retry-after" in answer.headers


async def test_an_active_account_can_try_another_credential(portal: Portal) -> None:
    account_id = await portal.started()
    await portal.validate(account_id)
    await portal.settled(account_id)
    assert (await tried(portal, account_id)).status_code == 200
    assert portal.rig.provider.calls[-1].expectation.account_number == ACCOUNT_NUMBER


async def test_a_repeat_is_the_same_dry_run_and_the_real_request_is_another(portal: Portal) -> None:
    account_id = await portal.started()
    first, again = [await tried(portal, account_id, "k-1") for _ in range(2)]
    assert first.json() == again.json()
    assert len(portal.rig.provider.calls) == 1
    real = await portal.validate(account_id, "k-1")
    assert (real.status_code, real.json()["message"]) != (200, first.json()["message"])
    assert (await portal.settled(account_id))["state"] == "active"


async def test_an_account_that_is_not_there_is_not_found(portal: Portal) -> None:
    assert (await tried(portal, "00000000-0000-4000-8000-000000000000")).status_code == 404


async def test_dry_runs_have_a_limit_of_their_own_that_says_when_to_come_again(portal: Portal) -> None:
    """A tenant that tries and tries is sent away before anything is proved; whatever else it asks for is answered."""
    account_id = await portal.started()
    counting = open_portal(portal.rig, portal.rig.client, edge=Edge(rates=Rates(dry_runs_per_tenant=2)))
    async with counting.http:
        answers = [await tried(counting, account_id, key) for key in ("k-1", "k-2", None, "k-4", "k-1")]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 200]
        for refused_one in answers[2:4]:
            assert refused_one.json()["detail"]["code"] == "rate_limited"
            assert 1 <= int(refused_one.headers["Retry-After"]) <= 60
        assert len(portal.rig.provider.calls) == 2
        probed = [event for event in portal.rig.stores.ledger.all() if event.action == "credential.probed"]
        assert len(probed) == 2
        assert (await counting.http.get(f"/onboarding/{account_id}")).status_code == 200
        assert (await counting.validate(account_id)).status_code == 200
