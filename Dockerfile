# PostgreSQL with openinfo and pg_cron, from Debian's packages (docs/operations.md, "Containers"):
#
#   docker build -t openinfo .                               the server
#   docker build -t openinfo-pooler --target pooler .        PgBouncer in transaction mode
#   docker build -t openinfo-extension --target extension .  the files of the extension alone, for extension_control_path
#
# BASE is any Debian whose apt knows the server packages of PostgreSQL PG.

ARG BASE=debian:trixie-slim
ARG PG=17

FROM ${BASE} AS build
ARG PG
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends \
        build-essential debhelper fakeroot make postgresql-common postgresql-server-dev-${PG}
COPY . /src
RUN make -C /src deb OUT=/packages V=${PG}

FROM build AS files
ARG PG
# hadolint ignore=DL3008
RUN mkdir -p /packages /extension/lib /extension/share/extension && \
    cd /packages && \
    apt-get download postgresql-${PG}-cron && \
    for package in *.deb; do dpkg-deb --extract "$package" /unpacked; done && \
    cp /unpacked/usr/lib/postgresql/${PG}/lib/*.so /extension/lib/ && \
    cp /unpacked/usr/share/postgresql/${PG}/extension/* /extension/share/extension/

FROM scratch AS extension
COPY --from=files /extension/ /

FROM ${BASE} AS pooler
# hadolint ignore=DL3008
RUN groupadd --system --gid 999 postgres && \
    useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql --shell /bin/sh postgres && \
    apt-get update && \
    apt-get install --yes --no-install-recommends pgbouncer && \
    rm -rf /var/lib/apt/lists/*
COPY container/pooler.sh container/pgbouncer.ini /etc/openinfo/
USER postgres
EXPOSE 6432
HEALTHCHECK --interval=10s --timeout=5s CMD ["bash", "-c", ": </dev/tcp/127.0.0.1/6432"]
ENTRYPOINT ["sh", "/etc/openinfo/pooler.sh"]

FROM ${BASE} AS server
ARG PG
# Volumes keep the number of the user, so it is fixed; Debian's own cluster is not created, because it would not be in a volume.
# hadolint ignore=DL3008
RUN --mount=type=bind,from=build,source=/packages,target=/packages \
    groupadd --system --gid 999 postgres && \
    useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql --shell /bin/sh postgres && \
    mkdir -p /etc/postgresql-common && \
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf && \
    apt-get update && \
    apt-get install --yes --no-install-recommends \
        postgresql-${PG} postgresql-${PG}-cron /packages/postgresql-${PG}-openinfo_*.deb && \
    rm -rf /var/lib/apt/lists/* && \
    install -d -o postgres -g postgres -m 2775 /run/postgresql && \
    install -d -o postgres -g postgres -m 700 /var/lib/postgresql
COPY container/server.sh /etc/openinfo/
ENV PATH=/usr/lib/postgresql/${PG}/bin:/usr/local/bin:/usr/bin:/bin \
    PGDATA=/var/lib/postgresql/${PG}/data \
    LANG=C.UTF-8
USER postgres
VOLUME /var/lib/postgresql
EXPOSE 5432
# a fast shutdown
STOPSIGNAL SIGINT
# while the first start creates the database, the server does not listen on TCP
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["pg_isready", "-q", "-h", "127.0.0.1"]
ENTRYPOINT ["sh", "/etc/openinfo/server.sh"]
CMD ["postgres"]
