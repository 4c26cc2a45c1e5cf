#!/bin/sh
# Temporal's two databases and their tables, made or brought up to date. Runs in temporalio/admin-tools, whose tool reads
# SQL_HOST, SQL_USER and SQL_PLUGIN. Each command does nothing where there is nothing to do, so this is safe to repeat.
set -eu

SQL_PASSWORD="$(cat "$SQL_PASSWORD_FILE")"
export SQL_PASSWORD

set_up() {
    temporal-sql-tool --database "$1" create-database
    temporal-sql-tool --database "$1" setup-schema --version 0.0
    temporal-sql-tool --database "$1" update-schema --schema-name "$2"
}

set_up temporal postgresql/v12/temporal
set_up temporal_visibility postgresql/v12/visibility
