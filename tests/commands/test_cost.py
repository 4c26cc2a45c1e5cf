"""The bill: that it adds up, that its floor is what nobody can avoid, and that our share above it is small."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import main
from commands.cost.bill import Basis, Plan, bill
from commands.cost.counts import ASSUMED, COUNTED
from commands.cost.prices import Region

PLAN = Plan(accounts=100, tenants=1, scans_per_day=1, health_probes=4, region=Region.MUMBAI)


def test_a_hundred_accounts_cost_at_most_five_per_cent_more_than_their_secrets_and_keys():
    found = bill(PLAN)
    assert found.floor == pytest.approx(100 * 0.40 + 5 * 1.00)
    assert 0 < found.above_floor <= 0.05


@pytest.mark.parametrize("region", Region)
def test_every_region_that_can_be_asked_for_has_prices(region: Region):
    assert bill(replace(PLAN, region=region)).aws > bill(PLAN).floor


def test_an_action_of_temporal_cloud_costs_its_price_and_both_surcharges():
    found = bill(PLAN)
    assert found.temporal_cloud == pytest.approx(found.actions * 0.00005 * 1.1 * 1.1)


def test_each_operation_is_billed_once_and_says_what_it_rests_on():
    basis = {line.item: line.basis for line in bill(PLAN).lines}
    assert {item for item, rests_on in basis.items() if item in ASSUMED} == set(ASSUMED)
    assert {basis[item] for item in ASSUMED} == {Basis.ASSUMED}
    assert {basis[item] for item in set(COUNTED) & set(basis)} == {Basis.COUNTED}


def test_one_onboarding_costs_what_its_units_calls_and_requests_cost():
    line = next(line for line in bill(replace(PLAN, accounts=1)).lines if line.item == "onboarding, second try")
    count = COUNTED["onboarding, second try"]
    assert line.data == pytest.approx(count.write_units * 0.71e-6 + count.read_units * 0.1425e-6)
    assert line.secrets_manager == pytest.approx(count.secrets_calls * 5e-6)
    assert line.kms == pytest.approx(count.kms_requests * 3e-6)


plans = st.builds(
    Plan,
    accounts=st.integers(1, 10**6),
    tenants=st.integers(1, 10**4),
    scans_per_day=st.floats(0, 100),
    health_probes=st.floats(0, 100),
    region=st.sampled_from(Region),
)


@given(plans)
def test_more_of_anything_is_never_cheaper(plan: Plan):
    more = [
        replace(plan, accounts=plan.accounts + 1),
        replace(plan, tenants=plan.tenants + 1),
        replace(plan, scans_per_day=plan.scans_per_day + 1),
        replace(plan, health_probes=plan.health_probes + 1),
    ]
    dollars = bill(plan).aws + bill(plan).temporal_cloud
    assert all(bill(other).aws + bill(other).temporal_cloud >= dollars for other in more)


@given(plans)
def test_no_line_is_negative_and_the_lines_add_up(plan: Plan):
    found = bill(plan)
    assert min(line.dollars for line in found.lines) >= 0
    assert found.aws == pytest.approx(sum(line.dollars for line in found.lines))


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as exit:
        main(["cost", *arguments])
    assert exit.value.code == 0
    return capsys.readouterr().out


def test_the_command_shows_every_line_the_floor_and_both_totals(capsys: pytest.CaptureFixture[str]):
    text = shown(capsys, "--accounts", "100", "--scans-per-day", "1")
    assert all(line.item in text for line in bill(PLAN).lines)
    assert "$45.00" in text
    assert f"${bill(PLAN).aws:,.2f}" in text
    assert f"${bill(PLAN).aws + bill(PLAN).temporal_cloud:,.2f}" in text
    assert "…" not in text


@pytest.mark.parametrize("arguments", [("--accounts", "0"), ("--region", "mars-1"), ("--scans-per-day", "-1")])
def test_an_amount_that_makes_no_sense_is_refused(arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit:
        main(["cost", *arguments])
    assert exit.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_large_amounts_stay_readable(capsys: pytest.CaptureFixture[str]):
    text = shown(capsys, "--accounts", "1000000", "--scans-per-day", "24", "--tenants", "1000")
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
