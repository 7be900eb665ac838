/// The task that the workers run: a shell script that writes a ledger, one line a write, and misbehaves now and then.
///
/// Some faults are the task's own doing, since nobody else can hit those moments: it kills or stops its worker between
/// its last line in the ledger and its exit, that is before the worker can have settled.
enum SoakTask {
    enum Variable {
        static let ledger = "SOAK_LEDGER"
        static let worker = "SOAK_WORKER"
        static let seed = "SOAK_SEED"
        /// While this file exists the task leaves its worker alone.
        static let calm = "SOAK_CALM"
    }

    /// A failed attempt, and a rejected message (`EX_DATAERR`).
    static let failed: Int32 = 1
    static let rejected: Int32 = 65

    static let command = ["sh", "-c", script, "soak-task"]

    private static let script = #"""
        IFS=' ' read -r number padding fate
        # Through a pipe: of a file of whole pages that was read in part, wc of coreutils 9.1 counts 16 bytes too few.
        received=$(cat | wc -c)
        note() { printf '%s\n' "$*" >>"$SOAK_LEDGER"; }
        identity="$number $SEMEL_ATTEMPT $SOAK_WORKER"
        note "start $identity $(date +%s%N)"
        [ "$received" -eq "$padding" ] || note "damaged $identity $(date +%s%N)"

        random=$(( (number * 40503 + SEMEL_ATTEMPT * 7919 + SOAK_SEED) & 2147483647 ))
        draw() { random=$(( (random * 1103515245 + 12345) & 2147483647 )); drawn=$(( (random >> 8) % $1 )); }
        fault() { [ ! -e "$SOAK_CALM" ] && note "fault $1 $identity $(date +%s%N)"; }

        draw 1000; draw 1000; dice=$drawn
        if [ "$dice" -lt 5 ] && fault killed-at-start; then kill -KILL "$PPID"; fi
        draw 301; milliseconds=$drawn
        case $milliseconds in ?) milliseconds=00$milliseconds ;; ??) milliseconds=0$milliseconds ;; esac
        draw 10
        # Holds the streams open, and would outlive the task if it were let.
        if [ "$drawn" -eq 0 ]; then sleep 15 & fi
        sleep "0.$milliseconds"

        code=0
        draw 100
        if [ "$drawn" -lt 15 ]; then code=\#(failed); elif [ "$fate" = reject ]; then code=\#(rejected); fi
        note "end $identity $code $(date +%s%N)"
        if [ "$dice" -ge 985 ] && fault killed-before-settling; then
            kill -KILL "$PPID"
        elif [ "$dice" -ge 965 ] && fault paused-before-settling; then
            draw 40
            kill -STOP "$PPID"
            # Takes effect when the kernel gets round to it. A worker that sees this task's end before would kill all
            # that is left of it, and nobody would wake the worker.
            tries=0
            while grep -L '^State:.T' "/proc/$PPID"/task/*/status | grep -q . && [ $((tries += 1)) -lt 200 ]; do :; done
            { sleep "$(( (drawn + 1) / 10 )).$(( (drawn + 1) % 10 ))"; kill -CONT "$PPID"; } &
        fi
        exit "$code"
        """#
}
