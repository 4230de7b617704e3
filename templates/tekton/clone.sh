#!/bin/sh
# Step "clone" of the Pipeline: checks one revision of the lane's repository out, for the steps after it.
#
# Reads, from the environment only:
#   STEP           name of the step, for the record
#   LANE           version of the lane, such as v0.1
#   GIT_READ_URL   repository to clone from
#   REVISION       commit (40 lower-case hex digits) or branch
#   SOURCE_BRANCH  branch that the lane follows. Given, the clone has its history and that of the revision, so that
#                  the step "publish" can tell which commit came first. Empty: the revision comes without history
#   WORKSPACE      directory of the workspace; the checkout goes to its subdirectory "source"
# The last line of the output is a JSON record. Exit code: 0; 2 for a wrong setting; else that of git.
set -eu

step=${STEP:-clone}
lane=${LANE-}
url=${GIT_READ_URL-}
revision=${REVISION-}
source_branch=${SOURCE_BRANCH-}
workspace=${WORKSPACE-}
scratch=
record_lane=null
record_revision=null

# A URL may carry a user, a password or a token: neither reaches a log.
mask() {
  sed -e "s#://[^[:space:]'\"]*@#://***@#g" -e "s#\(://[^[:space:]'\"?]*\)?[^[:space:]'\"]*#\1?***#g"
}

log() {
  printf '%s: %s\n' "$step" "$*" | mask >&2
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
  printf '{"event":"agentrun-ci-%s","status":"%s","lane":%s,"revision":%s,"valuesPrinted":false}\n' \
    "$step" "$status" "$record_lane" "$record_revision"
}

trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

is_commit() {
  case $1 in *[!0-9a-f]*) return 1 ;; esac
  [ "${#1}" -eq 40 ]
}

is_branch() {
  case $1 in '' | -* | *[!A-Za-z0-9._/-]*) return 1 ;; esac
  git check-ref-format "refs/heads/$1"
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
is_branch "$revision" ||
  fail 2 "REVISION is \"$revision\"; it must be a commit of 40 lower-case hex digits, or a branch"
record_revision=\"$revision\"
if [ -n "$source_branch" ]; then
  is_branch "$source_branch" || fail 2 "SOURCE_BRANCH is \"$source_branch\"; it must be a branch, or empty"
fi
case $url in
  '' | -* | *[[:space:]]*) fail 2 "GIT_READ_URL is empty, begins with \"-\" or holds white space; it must be a git URL" ;;
esac
case $workspace in
  /*) [ -d "$workspace" ] || fail 2 "WORKSPACE is \"$workspace\", which is no directory" ;;
  *) fail 2 "WORKSPACE is \"$workspace\"; it must be an absolute path" ;;
esac

scratch=$(mktemp -d "${TMPDIR:-/tmp}/clone.XXXXXX")
checkout=${workspace%/}/source
rm -rf -- "$checkout"
mkdir "$checkout"

log "cloning $revision from $url"
if [ -n "$source_branch" ]; then set --; else set -- --depth 1; fi
git_or_fail init --quiet --template= .
if ! is_commit "$revision"; then
  git_or_fail fetch --quiet --no-tags "$@" -- "$url" "refs/heads/$revision"
elif ! run_git fetch --quiet --no-tags "$@" -- "$url" "$revision"; then
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

# What was published may be newer than the revision: it is then found in what came after, on the branch.
if [ -n "$source_branch" ] && [ "$source_branch" != "$revision" ]; then
  run_git fetch --quiet --no-tags -- "$url" "+refs/heads/$source_branch:refs/remotes/origin/$source_branch" ||
    log "no history of the branch $source_branch: $(tr '\n' ' ' <"$scratch/git")"
fi
