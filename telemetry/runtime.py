"""The native part of Temporal's SDK: where its logs go, and the endpoint that serves its metrics and ours.

A process has one, made before the first client. Without an address there is no endpoint and every meter is silent.
"""

import logging

from temporalio.common import MetricMeter
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from domain.metrics import ALL


def start_runtime(metrics_address: str | None = None) -> MetricMeter:
    """Make the process's runtime, and return its meter. Raises ValueError when the address cannot be listened on."""
    runtime = build_runtime(metrics_address)
    Runtime.set_default(runtime, error_if_already_set=False)
    return runtime.metric_meter


def build_runtime(metrics_address: str | None = None) -> Runtime:
    """A runtime for one client. Raises ValueError as `start_runtime` does."""
    core = LogForwardingConfig(
        logging.getLogger("temporalio.core"),
        append_target_to_name=False,
        prepend_target_on_message=False,
        append_log_fields_to_message=False,
    )
    warnings_only = LoggingConfig(TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=core)
    metrics = _prometheus(metrics_address) if metrics_address else None
    return Runtime(telemetry=TelemetryConfig(logging=warnings_only, metrics=metrics, attach_service_name=False))


def _prometheus(address: str) -> PrometheusConfig:
    return PrometheusConfig(
        address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides={metric.name: metric.buckets for metric in ALL if metric.buckets},
    )
