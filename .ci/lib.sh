# What the scripts of this folder share. Sourced by them, with the workspace as the current folder.
# shellcheck shell=bash
set -euo pipefail

root=$PWD
cache=$root/.ci/cache
mkdir -p "$cache"

# What the tools keep stays in the checkout.
export XDG_CACHE_HOME=$cache/xdg __SAM_CLI_APP_DIR=$cache/sam
export SAM_CLI_TELEMETRY=0 PIP_DISABLE_PIP_VERSION_CHECK=1
# No call leaves for AWS: the credentials are made up, and nobody asks for an instance's.
export AWS_DEFAULT_REGION=eu-west-1 AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
export AWS_EC2_METADATA_DISABLED=true

# shellcheck disable=SC2034
http_functions=(site auth users products loans servicing portfolio)

# step NAME COMMAND...: runs the command, says how long it took. The first that fails ends the script.
step() {
  local name=$1 start=$SECONDS
  shift
  printf '\n==> %s\n' "$name"
  # shellcheck disable=SC2034
  current_step=$name
  "$@"
  printf '==> %s: %d s\n' "$name" $((SECONDS - start))
}

# wait_for SECONDS COMMAND...: repeats the command until it succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "gave up waiting for: $*" >&2
      return 1
    fi
    sleep 0.2
  done
}

# install_python NAME REQUIREMENTS: what the file names, into .ci/cache/NAME, unless it is there. All of it is named, with its
# hash, and built by those who published it: a build would fetch what no hash is known of.
install_python() {
  local folder=$cache/$1
  if cmp -s "$2" "$folder/installed.txt"; then return; fi
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --only-binary :all: --require-hashes --requirement "$2"
  cp "$2" "$folder/installed.txt"
}

# install_node FOLDER: the npm packages of its lock file, unless they are there. None runs a script of its own.
install_node() {
  if cmp -s "$1/package-lock.json" "$1/node_modules/.installed.json"; then return; fi
  npm ci --silent --ignore-scripts --no-audit --no-fund --prefix "$1"
  cp "$1/package-lock.json" "$1/node_modules/.installed.json"
}

# Ends a process that this script started, and waits for its end.
stop() {
  kill "$1" 2>/dev/null || return 0
  if ! wait_for 20 ended "$1"; then kill -KILL "$1" 2>/dev/null || true; fi
}
ended() {
  ! kill -0 "$1" 2>/dev/null
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

listens() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A local server on a port of its own, with these options: `base_url` is its address, `server` the process, its log is in
# `work`, the caller's folder.
serve() {
  local port
  # With the features that the tests have, so that what those have compiled serves here too.
  cargo test --locked --quiet --no-run --test dev
  port=$(free_port)
  target/debug/dev --ephemeral --port "$port" "$@" >"$work/server.log" 2>&1 &
  # shellcheck disable=SC2034
  server=$! base_url=http://127.0.0.1:$port
  wait_for 120 listens "$port"
}

# The folder of the newest PostgreSQL server's binaries, or nothing.
postgres_binaries() {
  local folder
  for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) $(pg_config --bindir 2>/dev/null || true); do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
      echo "$folder"
      return
    fi
  done
}

# The environment that the Lambda service gives a function, at the emulator on port $1: attach PORT FUNCTION.
# Replaces the shell: call it in a subshell, in the background.
attach() {
  export AWS_LAMBDA_RUNTIME_API=http://127.0.0.1:$1/.rt/$2
  export AWS_LAMBDA_FUNCTION_NAME=$2 AWS_LAMBDA_FUNCTION_VERSION=1 AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512
  exec "$root/.aws-sam/build/${2^}Function/bootstrap"
}

# The whole story, told to a server: story BASE_URL. The server's first administrator is `admin`.
story() {
  STORY_BASE_URL=$1 STORY_ADMIN_USERNAME=admin STORY_ADMIN_PASSWORD=$admin_password \
    timeout 900 cargo test --locked --test story
}
admin_password=microloans-demo
