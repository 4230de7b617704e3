#!/bin/sh
# Entrypoint of the environment images: gets the code of one commit, bundles it, and becomes manager or runner.
#
# Reads:
#   AGENTRUN_BOOT_MODE           mgr or runner
#   AGENTRUN_BOOT_COMMIT         the commit to boot, 40 lower-case hex digits
#   AGENTRUN_BOOT_REPO_URL       where to fetch it from; not needed when the image has it baked in
#   AGENTRUN_ENV_IDENTITY        identity of this image, for messages
#   HOME                         a writable directory; what was fetched is kept in $HOME/.agentrun-boot
#   AGENTRUN_BOOT_RETRY_SECONDS  wait after the first failed fetch, doubled after each; default 1
#   AGENTRUN_BOOT_PREFIX         where the image keeps its parts; default /opt/agentrun; tests set it
# Arguments go to the program.
#
# Exit codes before the program runs: 2 a setting is wrong, 3 the image does not fit the commit, 4 the commit could
# not be fetched, 5 the commit cannot be booted, 130 and 143 stopped by a signal.
set -eu

prefix=${AGENTRUN_BOOT_PREFIX:-/opt/agentrun}
mode=${AGENTRUN_BOOT_MODE-}
commit=${AGENTRUN_BOOT_COMMIT-}
url=${AGENTRUN_BOOT_REPO_URL-}
retry_seconds=${AGENTRUN_BOOT_RETRY_SECONDS:-1}
tries=5
# What git says when a further try is useless.
refusals='authentication failed|could not read (username|password)|permission denied|host key verification|error: 40[13]'
work=
child=

# A URL may carry a user, a password or a token: neither reaches a log.
mask() {
  sed -e "s#://[^[:space:]'\"]*@#://***@#g" -e "s#\(://[^[:space:]'\"?]*\)?[^[:space:]'\"]*#\1?***#g"
}

log() {
  printf 'agentrun-boot: %s\n' "$*" | mask >&2
}

# fail CODE MESSAGE: also where Kubernetes looks for the reason of a stopped container.
fail() {
  code=$1
  shift
  log "error: $*"
  if [ -w /dev/termination-log ]; then printf 'agentrun-boot: %s\n' "$*" | mask >/dev/termination-log; fi
  exit "$code"
}

clean() {
  if [ -n "$work" ]; then rm -rf -- "$work"; fi
}

stop() {
  trap - TERM INT
  if [ -n "$child" ]; then
    kill -s TERM "$child" 2>/dev/null || :
    wait "$child" 2>/dev/null || :
  fi
  log "stopped by SIG$1"
  exit "$2"
}

# Runs a command in the background and waits: a shell would hear of a signal only after a command in the foreground.
run() {
  "$@" &
  child=$!
  status=0
  wait "$child" || status=$?
  child=
  return "$status"
}

# Git with the configuration of the image only, without hooks and prompts, in the checkout. It replaces the
# (sub)shell that calls it, so that a signal meant for it reaches it, and so that its variables stay its own.
exec_git() {
  unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
  unset GIT_NAMESPACE GIT_TEMPLATE_DIR GIT_TRACE GIT_TRACE_CURL GIT_CURL_VERBOSE
  GIT_CONFIG_GLOBAL=/dev/null
  if [ -r "$prefix/gitconfig" ]; then GIT_CONFIG_GLOBAL=$prefix/gitconfig; fi
  GIT_SSH_COMMAND=${GIT_SSH_COMMAND:-ssh -o BatchMode=yes -o ConnectTimeout=15}
  GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C
  export GIT_CONFIG_GLOBAL GIT_SSH_COMMAND GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT LC_ALL
  cd "$source" || exit 1
  exec git -c safe.directory='*' -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.autocrlf=false \
    -c submodule.recurse=false -c fetch.recurseSubmodules=false -c gc.auto=0 -c maintenance.auto=false \
    -c advice.detachedHead=false -c http.lowSpeedLimit=1 -c http.lowSpeedTime=60 "$@" 2>>"$errors"
}

# rename(2): unlike mv it never moves a directory into one that is there already.
rename() {
  node -e 'require("node:fs").renameSync(process.argv[1], process.argv[2])' "$1" "$2" 2>/dev/null
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -c 1-64
}

new_repository() {
  rm -rf -- "$source"
  mkdir "$source"
  : >"$errors"
  run exec_git init --quiet --template= . || fail 5 "git init failed: $(cat "$errors")"
}

has_commit() {
  run exec_git cat-file -e "$commit"
}

# The objects that an earlier boot kept: used as they are only if every one of them still has the hash it is named by.
reuse_objects() {
  [ -d "$kept" ] || return 1
  printf '%s\n' "$kept" >"$source/.git/objects/info/alternates"
  # The kept history ends at the commit.
  printf '%s\n' "$commit" >"$source/.git/shallow"
  if has_commit && run exec_git update-ref --no-deref HEAD "$commit" &&
    run exec_git fsck --full --no-dangling --no-progress >/dev/null; then
    log "using commit $commit, fetched by an earlier boot"
    return 0
  fi
  log "what an earlier boot kept of commit $commit is damaged: fetching it again"
  rename "$kept" "$work/damaged" || :
  new_repository
  return 1
}

fetch_once() {
  : >"$errors"
  if run exec_git fetch --quiet --no-tags --depth 1 -- "$url" "$commit"; then return 0; fi
  grep -Eiq 'not our ref|unadvertised object|shallow capabilities' "$errors" || return 1
  log "the server does not give this commit by its id: fetching all branches and tags"
  : >"$errors"
  run exec_git fetch --quiet -- "$url" '+refs/heads/*:refs/boot/*' '+refs/tags/*:refs/tags/*' || return 1
  if has_commit; then return 0; fi
  printf 'no branch or tag of the repository holds the commit\n' >"$errors"
  return 1
}

fetch() {
  try=1
  delay=$retry_seconds
  until fetch_once; do
    reason=$(grep -E '^(fatal|error|remote):|holds the commit|denied|failed' "$errors" | tail -n 3 | tr '\n' ' ') || :
    reason=${reason:-git gave no reason}
    if grep -Eiq "$refusals" "$errors"; then
      fail 4 "$url does not let us read commit $commit: ${reason% }. Give the pod credentials that may read it."
    fi
    if [ "$try" -ge "$tries" ]; then
      fail 4 "could not fetch commit $commit from $url in $tries tries. Last reason: ${reason% }"
    fi
    log "try $try of $tries to fetch commit $commit failed: ${reason% }; next try in $delay s"
    run sleep "$delay"
    try=$((try + 1))
    delay=$((delay * 2))
  done
}

# Links FROM's packages into TO. The links that npm makes for workspaces are relative: copied as they are, they lead
# into this checkout, not to the manifests in the image. All else leads into the image.
link_packages() {
  for entry in "$1"/* "$1"/.[!.]*; do
    name=${entry##*/}
    if [ -L "$entry" ]; then
      ln -s "$(readlink "$entry")" "$2/$name"
      # Packages of one workspace alone, beside its manifest in the image.
      if [ -d "$entry/node_modules" ] && [ -d "$2/$name" ] && [ ! -e "$2/$name/node_modules" ]; then
        ln -s "$(cd "$entry/node_modules" && pwd -P)" "$2/$name/node_modules"
      fi
    elif [ -e "$entry" ]; then
      case $name in
        @*) mkdir "$2/$name" ;;
        *) ln -s "$entry" "$2/$name" ;;
      esac
    fi
  done
}

link_environment() {
  modules=$prefix/environment/node_modules
  [ -d "$modules" ] || fail 3 "this image has no $modules: rebuild the image"
  mkdir "$source/node_modules" 2>/dev/null ||
    fail 5 "commit $commit holds a node_modules of its own: remove it from the repository"
  link_packages "$modules" "$source/node_modules"
  for scope in "$modules"/@*; do
    if [ -d "$scope" ] && [ ! -L "$scope" ]; then link_packages "$scope" "$source/node_modules/${scope##*/}"; fi
  done
}

exec_bundle() {
  cd "$source" || exit 1
  exec node "$package/scripts/bundle.mjs" --outdir "$work/bundle" >&2
}

start() {
  clean
  trap - EXIT TERM INT
  main=$1
  shift
  log "starting $package of commit $commit"
  # shellcheck disable=SC2086 -- one word, or none
  exec node $options "$main" "$@"
}

trap clean EXIT
trap 'stop TERM 143' TERM
trap 'stop INT 130' INT

case $mode in
  mgr) package=manager options= ;;
  # RUNNER_NODE_OPTIONS of the contract.
  runner) package=runner options=--max-semi-space-size=1 ;;
  *) fail 2 "AGENTRUN_BOOT_MODE is \"$mode\"; allowed are mgr and runner" ;;
esac
case $commit in
  *[!0-9a-f]*) digits=0 ;;
  *) digits=${#commit} ;;
esac
if [ "$digits" -ne 40 ]; then
  fail 2 "AGENTRUN_BOOT_COMMIT is \"$commit\"; it must be a commit id of 40 lower-case hex digits"
fi

if [ -r "$prefix/baked/COMMIT" ] && [ "$(cat "$prefix/baked/COMMIT")" = "$commit" ] &&
  [ -f "$prefix/baked/$package/main.js" ]; then
  start "$prefix/baked/$package/main.js" "$@"
fi

# The value is not shown: it is no URL that we could mask.
case $url in
  '') fail 2 "AGENTRUN_BOOT_REPO_URL is not set; it must be the git URL of the code" ;;
  -* | *[[:space:]]*) fail 2 "AGENTRUN_BOOT_REPO_URL is not a git URL: it begins with \"-\" or holds white space" ;;
esac
case $retry_seconds in
  *[!0-9]* | ???*) fail 2 "AGENTRUN_BOOT_RETRY_SECONDS is \"$retry_seconds\"; it must be a number of seconds from 0 to 99" ;;
esac
for tool in git node; do
  command -v "$tool" >/dev/null 2>&1 || fail 3 "this image has no $tool: rebuild the image"
done
[ -n "${HOME-}" ] || fail 2 "HOME is not set; it must be a writable directory"

store=$HOME/.agentrun-boot
mkdir -p "$store" 2>/dev/null || fail 2 "HOME is \"$HOME\", which is not writable; mount a volume there"
# Left over by boots that were killed; the youngest may still be at work.
find "$store" -maxdepth 1 -name 'new.*' -mmin +60 -exec rm -rf {} + 2>/dev/null || :
work=$(mktemp -d "$store/new.XXXXXX") || fail 2 "HOME is \"$HOME\", which is not writable; mount a volume there"
source=$work/source
errors=$work/errors
kept=$store/objects-$commit

new_repository
if ! reuse_objects; then
  log "fetching commit $commit from $url"
  fetch
fi
: >"$errors"
run exec_git checkout --quiet --detach "$commit" || fail 5 "cannot check out commit $commit: $(cat "$errors")"
head=$(exec_git rev-parse --verify HEAD) || fail 5 "cannot read what was checked out: $(cat "$errors")"
if [ "$head" != "$commit" ]; then
  fail 5 "AGENTRUN_BOOT_COMMIT is $commit, but what it names is commit $head: give the id of the commit itself"
fi

recorded=$(cut -c 1-64 "$prefix/environment/package-lock.sha256" 2>/dev/null) || recorded=
[ -n "$recorded" ] ||
  fail 3 "this image has no record of its package-lock.json in $prefix/environment: rebuild the image"
[ -f "$source/package-lock.json" ] ||
  fail 3 "environment-mismatch: commit $commit has no package-lock.json, so no image can fit it"
wanted=$(sha256 "$source/package-lock.json")
if [ "$wanted" != "$recorded" ]; then
  fail 3 "environment-mismatch: the image ${AGENTRUN_ENV_IDENTITY:-(AGENTRUN_ENV_IDENTITY is not set)} was built for" \
    "another package-lock.json (sha256 $recorded) than commit $commit has (sha256 $wanted)." \
    "Rebuild the image from this commit; templates/images/env-identity.sh gives its new identity"
fi

[ -f "$source/$package/scripts/bundle.mjs" ] ||
  fail 5 "commit $commit has no $package/scripts/bundle.mjs, so mode \"$mode\" cannot boot from it"
link_environment
log "bundling $package"
status=0
run exec_bundle || status=$?
[ "$status" -eq 0 ] ||
  fail 5 "$package/scripts/bundle.mjs of commit $commit failed with exit code $status; its output stands above"
[ -f "$work/bundle/main.js" ] || fail 5 "$package/scripts/bundle.mjs of commit $commit wrote no main.js"

# Kept for the next boot in this HOME. Whoever is first wins; what is there already is the same, or is left alone.
if [ ! -s "$source/.git/objects/info/alternates" ]; then rename "$source/.git/objects" "$kept" || :; fi
bundle=$store/bundle-$commit-$package
if ! rename "$work/bundle" "$bundle" && ! diff -r "$work/bundle" "$bundle" >/dev/null 2>&1; then
  bundle=$(mktemp -d "$bundle.XXXXXX")
  rename "$work/bundle" "$bundle" || fail 5 "cannot write $bundle"
fi
start "$bundle/main.js" "$@"
