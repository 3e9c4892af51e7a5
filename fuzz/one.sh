#!/bin/sh
# Runs one fuzzer for SECONDS_EACH seconds, and says how much it tried or what it found.
log=target/$1.log
RUSTC_BOOTSTRAP=1 "$FUZZER" run "$1" -- -max_total_time="$SECONDS_EACH" -print_final_stats=1 >"$log" 2>&1
status=$?
echo "fuzz $1: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $SECONDS_EACH s, exit $status"
[ $status -eq 0 ] && exit 0
tail -n 60 "$log"
# Only 255 makes xargs stop.
exit 255
