#!/bin/sh
# Rank 0 under callgrind, the other one as it is: rank.sh FOLDER BURSTS
here=$(dirname "$0")
if [ "$ONECOPY_RANK" = 0 ]; then
  exec valgrind -q --tool=callgrind --callgrind-out-file="$1/out.$2" node "$here/rank.mjs" "$2"
fi
exec node "$here/rank.mjs" "$2"
