# shellcheck shell=bash
# How the bash tools talk: plain lines, colour only on a terminal and without NO_COLOR.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' PLAIN=$'\e[0m'
else
    BOLD='' DIM='' RED='' GREEN='' PLAIN=''
fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }
hint() { printf '%s%s%s\n' "$DIM" "$*" "$PLAIN"; }
note() { printf 'note: %s\n' "$*"; }
good() { printf '%sok%s   %s\n' "$GREEN" "$PLAIN" "$*"; }
bad() { printf '%sFAIL%s %s\n' "$RED" "$PLAIN" "$*"; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

usage_error() {
    printf '%s: %s (try ./dev help)\n' "$(basename "$0")" "$*" >&2
    exit 2
}

need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || die "$program is missing: run ./dev setup"
    done
}

# Runs a command that is of interest only when it fails; then shows all that it said.
run_quiet() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        tail -n 80 "$log" >&2
        printf '%s: failed with status %d: %s\n' "$(basename "$0")" "$status" "$*" >&2
    fi
    rm -f "$log"
    return "$status"
}
