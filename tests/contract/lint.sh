#!/usr/bin/env bash
# Lint openapi.yaml with Redocly's linter: tests/contract/lint.sh [DIRECTORY]
#
# The linter is an npm package, installed into DIRECTORY (build/redocly) the first time; node and npm come from apt where
# they are missing. A description that has passed is not looked at again until it, the rules or this file change.
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

install_node() {
    local as_root=
    [[ $(id -u) == 0 ]] || as_root=sudo
    command -v apt-get >/dev/null || { echo "npm, which comes with node, is needed to lint openapi.yaml" >&2; exit 1; }
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends nodejs npm </dev/null >/dev/null
}

# Into a folder of its own, which is renamed when it is whole.
install_linter() {
    local fresh=$directory/fresh
    command -v npm >/dev/null || install_node
    echo "installing @redocly/cli $version"
    rm -rf "$fresh" "${directory:?}/$version"
    mkdir -p "$fresh"
    npm install --prefix "$fresh" --silent --no-save --no-fund --no-audit --no-update-notifier "@redocly/cli@$version" \
        </dev/null
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
