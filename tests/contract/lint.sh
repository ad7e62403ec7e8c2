#!/usr/bin/env bash
# Lint openapi.yaml with Redocly's linter: tests/contract/lint.sh [DIRECTORY]
#
# The linter is an npm package, installed into DIRECTORY (build/redocly) the first time; node and npm come from apt where
# they are missing. A description that has passed is not looked at again until it, the rules or this file change.
# Exit status: 0 passed, 1 findings, 3 the linter cannot be had here.
set -euo pipefail

cd "$(dirname "$0")/../.."
directory=${1:-build/redocly}
version=1.34.5 # the last line of releases that runs on the node of Debian 12
passed=$directory/passed-$version
linter=$directory/$version/node_modules/.bin/redocly

is_current() {
    local file
    for file in openapi.yaml tests/contract/redocly.yaml tests/contract/lint.sh; do
        [[ $passed -nt $file ]] || return 1
    done
}

unavailable() {
    echo "openapi.yaml has not been linted: $1" >&2
    exit 3
}

install_node() {
    local as_root=
    [[ $(id -u) == 0 ]] || as_root=sudo
    command -v apt-get >/dev/null || unavailable "npm, which comes with node, is missing"
    echo "installing nodejs npm"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends nodejs npm </dev/null >/dev/null || unavailable "apt cannot install nodejs and npm"
}

# Into a folder of its own, which is renamed when it is whole.
install_linter() {
    local fresh=$directory/fresh
    command -v npm >/dev/null || install_node
    echo "installing @redocly/cli $version"
    rm -rf "$fresh" "${directory:?}/$version"
    mkdir -p "$fresh"
    npm install --prefix "$fresh" --loglevel=error --no-save --no-fund --no-audit --no-update-notifier --fetch-retries=1 \
        "@redocly/cli@$version" </dev/null >/dev/null || unavailable "npm cannot install @redocly/cli"
    mv "$fresh" "$directory/$version"
}

if is_current; then exit; fi
[[ -x $linter ]] || install_linter
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
log=$directory/lint.log
if ! "$linter" lint --config tests/contract/redocly.yaml openapi.yaml </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
touch "$passed"
