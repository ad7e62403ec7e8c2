#!/usr/bin/env bash
# Each row of the table in SECURITY.md names a test, and the tests that it names exist.
set -euo pipefail
cd "$(dirname "$0")/../.."

count=0 failed=0
report() { # OUTCOME NAME
    count=$((count + 1))
    if [[ $1 == 0 ]]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failed=1; fi
}

exists() { # a program without its ending, or a directory with a slash behind it
    if [[ $1 == */ ]]; then [[ -d tests/$1 ]]; else compgen -G "tests/$1.*" >/dev/null; fi
}

rows=0
while IFS='|' read -r _ who _ _ tests _; do
    rows=$((rows + 1))
    names=$(grep -oE '`[^`]+`' <<<"$tests" | tr -d '`') || true
    outcome=0
    [[ -n $names ]] || outcome=1
    for name in $names; do exists "$name" || { outcome=1; echo "# there is no tests/$name"; }; done
    report "$outcome" "row $rows,$who: ${names//$'\n'/, }"
done < <(sed -n '/^|---/,/^$/p' SECURITY.md | sed '1d;/^$/d')

enough=0
(( rows >= 15 )) || enough=1
report "$enough" "the table was found"
exists http/test_nothing && outcome=1 || outcome=0
report "$outcome" "a test that does not exist is noticed"
echo "1..$count"
exit "$failed"
