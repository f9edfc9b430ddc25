# SPDX-License-Identifier: Apache-2.0
# Tools that are missing are installed, and it is said. To be sourced:
#   need 'TEST COMMAND' PACKAGE...     remembers Debian packages when the test fails; ?PACKAGE: where
#                                      there is one of that name
#   install_missing                    installs what was remembered, all at once
#   quietly LOG COMMAND...             runs it with its output in a file, which is shown when it fails
missing=()

need() {
    local test=$1
    shift
    eval "$test" > /dev/null 2>&1 || missing+=("$@")
}

# has_header COMPILER HEADER: a program that includes it can be compiled.
has_header() { echo "#include <$2>" | "$1" -E -; }

quietly() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")" && "$@" > "$log" 2>&1 && return
    grep -vE '^\[ *[0-9]+%\]' "$log" >&2
    echo "failed: $*; its output, which stands above, is in $log" >&2
    return 1
}

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

# apt_install: with the rights to; brings the lists up to date, leaves out optional packages that do not exist.
apt_install() {
    local package packages=() apt=("$@")
    try_often "${apt[@]}" update || return
    for package in "${missing[@]}"; do
        if [[ $package != \?* ]] || apt-cache show "${package#\?}" > /dev/null 2>&1; then
            packages+=("${package#\?}")
        fi
    done
    try_often "${apt[@]}" install --no-install-recommends "${packages[@]}"
}

install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    local names="${missing[*]}" log
    names=${names//\?/}
    local apt=(apt-get -q -y -o Acquire::Retries=3 -o Acquire::http::Timeout=60
        -o DPkg::Lock::Timeout=300)
    if ! command -v apt-get > /dev/null; then
        echo "missing, by the names of Debian's packages: $names" >&2
        echo "there is no apt-get here; please install them in this system's way" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo > /dev/null || ! sudo -v; then
            echo "packages are missing, and this user may not install any; please have somebody run" >&2
            echo "    apt-get update && apt-get install --no-install-recommends $names" >&2
            return 1
        fi
        apt=(sudo env DEBIAN_FRONTEND=noninteractive "${apt[@]}")
    fi
    echo "== installing what is missing: $names" >&2
    log=$(mktemp) || return
    DEBIAN_FRONTEND=noninteractive quietly "$log" apt_install "${apt[@]}" || return
    rm -f "$log"
    missing=()
}
