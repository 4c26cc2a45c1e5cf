"""Can the API on this host serve? `python -m deploy.health.api` ends with 0 when its readiness route says so."""

import sys

import httpx

import config

PATIENCE_SECONDS = 5


def main() -> None:
    settings, _ = config.load()
    url = f"http://127.0.0.1:{settings.api_port}/api/v1/health/ready"
    try:
        answer = httpx.get(url, timeout=PATIENCE_SECONDS, trust_env=False)
    except httpx.TransportError:
        sys.exit("The API does not answer.")
    if not answer.is_success:
        # The states of the dependencies, and nothing else.
        sys.exit(answer.text)


if __name__ == "__main__":
    main()
