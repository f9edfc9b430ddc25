# SPDX-License-Identifier: Apache-2.0
# Tools that are missing are installed, and it is said. To be sourced:
#   need 'TEST COMMAND' PACKAGE...     remembers Debian packages when the test fails
#   install_missing                    installs what was remembered
missing=()

need() {
    local test=$1
    shift
    eval "$test" > /dev/null 2>&1 || missing+=("$@")
}

# has_header COMPILER HEADER: a program that includes it can be compiled.
has_header() { echo "#include <$2>" | "$1" -E -; }

# try_often: slow or busy mirrors get three chances.
try_often() {
    local wait
    for wait in 5 20 0; do
        "$@" && return
        echo "failed: $*"
        sleep "$wait"
    done
    return 1
}

install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    local apt=(apt-get -q -y -o Acquire::Retries=3 -o Acquire::http::Timeout=60
        -o DPkg::Lock::Timeout=300)
    echo "== installing what is missing: ${missing[*]}"
    if ! command -v apt-get > /dev/null; then
        echo "no apt-get here; please install them in this system's way" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo > /dev/null; then
            echo "neither root nor sudo; please install them" >&2
            return 1
        fi
        apt=(sudo env DEBIAN_FRONTEND=noninteractive "${apt[@]}")
    fi
    export DEBIAN_FRONTEND=noninteractive
    try_often "${apt[@]}" update || return
    try_often "${apt[@]}" install --no-install-recommends "${missing[@]}" || return
    missing=()
}
