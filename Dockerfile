# One image for every part; the command says which: `careloop serve --part customer`, `careloop worker …`
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /app/.venv \
 && /app/.venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY pyproject.toml ./
COPY deploy/link.py deploy/link.py
COPY shared shared
COPY services services
COPY gateway gateway
COPY cli cli
COPY migrations migrations
RUN /app/.venv/bin/python deploy/link.py && /app/.venv/bin/python -m compileall -q shared services gateway cli migrations

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app careloop
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 CARELOOP_HOME=/tmp/careloop
USER careloop
EXPOSE 8080
ENTRYPOINT ["careloop"]
CMD ["serve", "--part", "gateway", "--host", "0.0.0.0", "--port", "8080"]
