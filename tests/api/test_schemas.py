"""Some hundred requests of the OpenAPI document and along its links; `make security` makes ten thousand."""

from temporalio.client import Client

from tests.api.portal import Portal
from tests.api.whole_portal import whole_portal
from tests.security.links import Link, links, walk
from tests.security.schemas import explore


async def test_every_answer_is_one_that_the_document_tells_of(temporal: Client):
    async with whole_portal(temporal) as whole:
        outcome = await explore(whole, examples=5, phases=("examples", "fuzzing", "stateful"))
    assert (outcome.broken, outcome.undocumented, outcome.failed) == ([], [], [])
    assert outcome.statuses.total() >= 250
    assert {200, 400, 401, 404, 422} <= set(outcome.statuses)


async def test_every_link_leads_where_the_document_says(temporal: Client):
    async with whole_portal(temporal) as whole:
        declared = list(links(whole.portal.app.openapi()))
        walked = await walk(whole, declared)
    assert (walked.lost, walked.followed) == ([], [str(link) for link in declared])
    assert len(declared) >= 27


async def test_a_link_that_leads_nowhere_is_seen(temporal: Client):
    async with whole_portal(temporal) as whole:
        wrong = {"tenant_id": "$response.body#/tenant_name"}
        walked = await walk(whole, [Link("create_tenant", 201, "get_tenant", wrong)])
    assert walked.lost == ["create_tenant -> get_tenant: 404"]


async def test_a_link_leads_to_an_operation_and_fills_a_parameter_of_it(offline: Portal):
    operations = [each for path in offline.app.openapi()["paths"].values() for each in path.values()]
    parameters = {each["operationId"]: {p["name"] for p in each.get("parameters", [])} for each in operations}
    links = [
        (link["operationId"], name)
        for each in operations
        for answer in each["responses"].values()
        for link in answer.get("links", {}).values()
        for name in link["parameters"]
    ]
    assert len(links) > 20
    assert [(operation, name) for operation, name in links if name not in parameters[operation]] == []
