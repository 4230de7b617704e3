#!/bin/sh
# Step of the Pipeline: checks one revision of a lane, and proves that its rendering is deterministic.
#
# Reads, from the environment only:
#   GIT_READ_URL  repository to clone from
#   REVISION      commit (40 lower-case hex digits) or branch
#   LANE          version of the lane, such as v0.1
#   WORKSPACE     directory of the Pipeline's workspace; the checkout goes to its subdirectory "source"
# The last line of the output is a JSON record. Exit code: 0; 2 for a wrong setting; else that of the step that failed.
set -eu

check_flags='--format text'
synth_flags='--prove --placeholder'

url=${GIT_READ_URL-}
revision=${REVISION-}
lane=${LANE-}
workspace=${WORKSPACE-}
scratch=
record_lane=null
record_revision=null

# A URL may carry a user, a password or a token: neither reaches a log.
mask() {
  sed -e "s#://[^[:space:]'\"]*@#://***@#g" -e "s#\(://[^[:space:]'\"?]*\)?[^[:space:]'\"]*#\1?***#g"
}

log() {
  printf 'render-smoke: %s\n' "$*" | mask >&2
}

fail() {
  code=$1
  shift
  log "error: $*"
  exit "$code"
}

# Only checked values get into the record, so none needs quoting.
finish() {
  status=failed
  if [ "$1" -eq 0 ]; then status=ok; fi
  if [ -n "$scratch" ]; then rm -rf -- "$scratch"; fi
  printf '{"event":"agentrun-ci-render-smoke","status":"%s","lane":%s,"revision":%s,"valuesPrinted":false}\n' \
    "$status" "$record_lane" "$record_revision"
}

trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

is_commit() {
  case $1 in *[!0-9a-f]*) return 1 ;; esac
  [ "${#1}" -eq 40 ]
}

# Git in the checkout, without hooks and prompts.
run_git() {
  GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C git -C "$checkout" -c core.hooksPath=/dev/null \
    -c core.fsmonitor=false -c submodule.recurse=false -c advice.detachedHead=false -c gc.auto=0 "$@" 2>"$scratch/git"
}

git_or_fail() {
  code=0
  run_git "$@" || code=$?
  if [ "$code" -ne 0 ]; then fail "$code" "git $1 of $revision from $url failed: $(tr '\n' ' ' <"$scratch/git")"; fi
}

case $lane in
  v*[!0-9.]* | *.*.* | v.* | *.) valid= ;;
  v*.*) valid=yes ;;
  *) valid= ;;
esac
[ -n "$valid" ] || fail 2 "LANE is \"$lane\"; it must be the version of a lane, such as v0.1"
record_lane=\"$lane\"
case $revision in
  '' | -* | *[!A-Za-z0-9._/-]*) valid= ;;
  *) if git check-ref-format "refs/heads/$revision"; then valid=yes; else valid=; fi ;;
esac
[ -n "$valid" ] || fail 2 "REVISION is \"$revision\"; it must be a commit of 40 lower-case hex digits, or a branch"
record_revision=\"$revision\"
case $url in
  '' | -* | *[[:space:]]*) fail 2 "GIT_READ_URL is empty, begins with \"-\" or holds white space; it must be a git URL" ;;
esac
case $workspace in
  /*) [ -d "$workspace" ] || fail 2 "WORKSPACE is \"$workspace\", which is no directory" ;;
  *) fail 2 "WORKSPACE is \"$workspace\"; it must be an absolute path" ;;
esac

scratch=$(mktemp -d "${TMPDIR:-/tmp}/render-smoke.XXXXXX")
checkout=${workspace%/}/source
rm -rf -- "$checkout"
mkdir "$checkout"

log "cloning $revision from $url"
git_or_fail init --quiet --template= .
if ! is_commit "$revision"; then
  git_or_fail fetch --quiet --no-tags --depth 1 -- "$url" "refs/heads/$revision"
elif ! run_git fetch --quiet --no-tags --depth 1 -- "$url" "$revision"; then
  log "the server does not give this commit by its id: fetching all branches and tags"
  git_or_fail fetch --quiet -- "$url" '+refs/heads/*:refs/clone/*' '+refs/tags/*:refs/tags/*'
fi
if is_commit "$revision"; then target=$revision; else target=FETCH_HEAD; fi
git_or_fail checkout --quiet --detach "$target"
head=$(run_git rev-parse --verify HEAD)
if is_commit "$revision" && [ "$head" != "$revision" ]; then
  fail 1 "REVISION is $revision, but what it names is commit $head"
fi
record_revision=\"$head\"

cd "$checkout"
# Each word of the flags is an argument.
# shellcheck disable=SC2086
agentrun check "$lane" --lanes-dir "$checkout/lanes" $check_flags
# shellcheck disable=SC2086
agentrun synth "$lane" $synth_flags --lanes-dir "$checkout/lanes" --out "$scratch/rendered"
