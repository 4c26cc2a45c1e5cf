# One image for the API (`python main.py`), the worker (`python worker.py`) and the operators' commands (`python cli.py`).
# The base is pinned by tag: put a digest behind it after you have pulled and examined it.
FROM python:3.11.15-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.txt ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --require-hashes --only-binary :all: --requirement requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.11.15-slim-trixie

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
# .dockerignore says what this is. It belongs to root, and the process cannot change it.
COPY . ./
RUN python -m compileall -q .

USER 10001:10001
EXPOSE 8000
CMD ["python", "main.py"]
