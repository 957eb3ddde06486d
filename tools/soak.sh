#!/bin/sh
# Play the scenario suite again and again: tools/soak.sh [RUNS] [pytest options]
# Stops at the first failure and leaves that run's flight logs and words under out/soak.
set -u
cd "$(dirname "$0")/.."
runs=20
case "${1:-}" in
    [0-9]*) runs=$1; shift ;;
esac
out=out/soak
rm -rf "$out"
mkdir -p "$out"
printf '%-5s %-9s %-8s %-9s %s\n' run passed failed seconds "played again (machine held up)"
number=1
while [ "$number" -le "$runs" ]; do
    begin=$(date +%s)
    .venv/bin/python -m pytest tests/scenarios -q -p no:cacheprovider -rP \
        --basetemp="$out/artefacts" "$@" >"$out/run.txt" 2>&1
    code=$?
    seconds=$(($(date +%s) - begin))
    count() { grep -Eo "[0-9]+ $1" "$out/run.txt" | tail -1 | cut -d' ' -f1; }
    passed=$(count passed)
    failed=$(count 'failed|[0-9]+ error')
    again=$(grep -c 'played again' "$out/run.txt")
    printf '%-5s %-9s %-8s %-9s %s\n' "$number" "${passed:-0}" "${failed:-0}" "$seconds" "$again"
    [ "$again" -eq 0 ] || grep 'played again' "$out/run.txt" | sed 's/^/      /'
    if [ "$code" -ne 0 ]; then
        echo "soak: run $number of $runs failed; see $out/run.txt and $out/artefacts" >&2
        grep -E '^(FAILED|ERROR|E  )' "$out/run.txt" | head -20 >&2
        exit 1
    fi
    number=$((number + 1))
done
echo "soak: $runs runs without a failure"
