package edge.core

import java.util.concurrent.CancellationException

/** Where a ladder keeps a few lines of text between starts of the app: one small file. */
interface LadderStore {
    /** What was written last; null where nothing was, or it cannot be read. */
    fun read(): String?

    /** Keeps a text, and returns when it would survive the end of the process. */
    fun write(text: String)
}

/**
 * Finds the best accelerator that computes what the host computed.
 *
 * The rungs are tried in their order. Before one is tried a mark is left in the [store], and taken away when it
 * is over: a mark that is found at the start tells that the rung took the whole app with it, as native code of a
 * GPU may. Such a rung is left alone for [PAUSE] starts, and twice as many each time that it happens again; one that
 * failed in an orderly way is left alone for [PAUSE] starts, too. Wrong numbers are final. The last rung
 * is always tried. What was learned holds for one [key] alone. Not for several threads at once.
 *
 * An app that ended while nobody saw it, or was ended by hand, tells little of the rung. Only when that happens
 * [PATIENCE] times in a row, as it does when a load hangs, or the rung died before, it counts as a death.
 *
 * @param rungs best first; the last one should be the CPU.
 * @param key model, runtime and system in one text: another one forgets all.
 * @param wasLeft whether the app last ended while nobody saw it, or by hand.
 */
class AcceleratorLadder(
    private val rungs: List<Accelerator>,
    private val key: String,
    private val store: LadderStore,
    wasLeft: Boolean = false,
) {
    /** What climbing found. */
    class Climb<T>(
        val runner: T,
        val accelerator: Accelerator,
        val lines: List<String>,
    )

    private val memory = LadderMemory.read(store.read(), key, wasLeft)

    init {
        require(rungs.isNotEmpty()) { "a ladder without rungs" }
    }

    /**
     * Tries the rungs, and returns what the first good one made. [make] and [check] may suspend.
     *
     * @param make opens the model on one accelerator and runs it once, for a runtime may fail as late as that.
     * @param check compares it with the golden vectors; lines that tell what is wrong, or none. It is not called
     *   for an accelerator that passed before with the same key.
     * @throws ModelError no rung works.
     */
    inline fun <T : AutoCloseable> climb(make: (Accelerator) -> T, check: (T) -> List<String>): Climb<T> {
        val lines = ArrayList<String>()
        while (true) {
            val rung = next(lines) ?: throw nothing(lines)
            var made: T? = null
            try {
                val runner = make(rung)
                made = runner
                if (accepts(rung, lines) { check(runner) }) return Climb(runner, rung, lines)
                runner.close()
            } catch (stop: CancellationException) {
                abandon(made)
                throw stop
            } catch (stop: InterruptedException) {
                abandon(made)
                throw stop
            } catch (failure: Exception) {
                close(made)
                fail(rung, failure, lines)
            } catch (failure: LinkageError) {
                close(made)
                fail(rung, failure, lines)
            }
        }
    }

    /** Forgets what was learned, so that all rungs are tried again. */
    fun forget() {
        memory.clear()
        save()
    }

    @PublishedApi
    internal var place: Int = 0

    /** The next rung worth trying, with its mark left; null after the last. */
    @PublishedApi
    internal fun next(lines: MutableList<String>): Accelerator? {
        if (place == 0) memory.passTime()
        while (place < rungs.size) {
            val rung = rungs[place++]
            val last = place == rungs.size
            val reason = memory.reasonToSkip(rung)
            if (reason != null && !last) {
                lines += "${rung.key}: not tried, $reason"
                continue
            }
            memory.trying = rung
            if (save() || last) return rung
            memory.trying = null
            lines += "${rung.key}: not tried, its mark could not be stored"
        }
        save()
        return null
    }

    @PublishedApi
    internal inline fun accepts(rung: Accelerator, lines: MutableList<String>, check: () -> List<String>): Boolean {
        val before = passed(rung)
        val problems = if (before) emptyList() else check()
        return judge(rung, before, problems, lines)
    }

    @PublishedApi
    internal fun passed(rung: Accelerator): Boolean = memory.verdict(rung)?.outcome == LadderMemory.Outcome.PASSED

    @PublishedApi
    internal fun judge(rung: Accelerator, before: Boolean, problems: List<String>, lines: MutableList<String>): Boolean {
        memory.trying = null
        if (problems.isEmpty()) {
            memory.pass(rung)
            lines += "${rung.key}: runs, its numbers ${if (before) "were right before" else "are right"}"
            place = 0
        } else {
            memory.wrong(rung, problems.first())
            lines += "${rung.key}: wrong numbers: ${problems.first()}" + more(problems.size - 1)
        }
        save()
        return problems.isEmpty()
    }

    @PublishedApi
    internal fun fail(rung: Accelerator, failure: Throwable, lines: MutableList<String>) {
        val reason = failure.message ?: failure.javaClass.simpleName
        memory.trying = null
        memory.fail(rung, reason)
        save()
        lines += "${rung.key}: failed: $reason"
    }

    @PublishedApi
    internal fun abandon(made: AutoCloseable?) {
        close(made)
        memory.trying = null
        place = 0
        save()
    }

    @PublishedApi
    internal fun close(made: AutoCloseable?) {
        try {
            made?.close()
        } catch (_: Exception) {
            // What does not even close is given up; why it failed is told already.
        }
    }

    @PublishedApi
    internal fun nothing(lines: List<String>): ModelError {
        place = 0
        val reason = "no accelerator runs the model: ${lines.joinToString("; ")}"
        val isWrong = memory.verdict(rungs.last())?.outcome == LadderMemory.Outcome.WRONG
        return ModelError(
            reason,
            if (isWrong) {
                "this device's runtime computes something else than the host's: report it, and try another version of the runtime"
            } else {
                "free memory and start again; the reasons tell what each one lacks"
            },
        )
    }

    private fun more(count: Int) = if (count > 0) " (and $count more)" else ""

    private fun save(): Boolean =
        try {
            store.write(memory.text(key))
            true
        } catch (_: Exception) {
            false
        }

    companion object {
        /** How many starts a rung is left alone for after it failed. */
        const val PAUSE = 5

        /** How many starts a rung is left alone for at most, however often the app died. */
        const val LONGEST_PAUSE = 80

        /** How many times in a row an app that nobody saw may end while a rung is tried. */
        const val PATIENCE = 3
    }
}

/** What a ladder knows of its rungs, and its form as text: a line for the key, a line a rung. */
internal class LadderMemory private constructor(private val verdicts: MutableMap<Accelerator, Verdict>) {
    enum class Outcome { PASSED, WRONG, FAILED, DIED, LEFT }

    /** [ends] of the app in a row; [waited] starts since. */
    data class Verdict(
        val outcome: Outcome,
        val ends: Int,
        val waited: Int,
        val reason: String,
    ) {
        val waits: Boolean
            get() {
                val doublings = if (outcome == Outcome.DIED) (ends - 1).coerceIn(0, MAX_DOUBLINGS) else 0
                return waited <= (AcceleratorLadder.PAUSE shl doublings).coerceAtMost(AcceleratorLadder.LONGEST_PAUSE)
            }
    }

    var trying: Accelerator? = null

    fun verdict(rung: Accelerator): Verdict? = verdicts[rung]

    /** A rung that works is forgiven all that was before. */
    fun pass(rung: Accelerator) {
        verdicts[rung] = Verdict(Outcome.PASSED, 0, 0, "")
    }

    fun wrong(rung: Accelerator, reason: String) = set(rung, Outcome.WRONG, reason)

    fun fail(rung: Accelerator, reason: String) = set(rung, Outcome.FAILED, reason)

    fun clear() {
        verdicts.clear()
        trying = null
    }

    /** Counts a start of the app for rungs that are left alone. */
    fun passTime() {
        for ((rung, verdict) in verdicts) {
            if (verdict.waits) verdicts[rung] = verdict.copy(waited = verdict.waited + 1)
        }
    }

    fun reasonToSkip(rung: Accelerator): String? {
        val verdict = verdicts[rung] ?: return null
        return when (verdict.outcome) {
            Outcome.PASSED, Outcome.LEFT -> null
            Outcome.WRONG -> "its numbers were wrong: ${verdict.reason}"
            Outcome.FAILED -> if (verdict.waits) "it failed a short time ago: ${verdict.reason}" else null
            Outcome.DIED -> {
                val times = if (verdict.ends > 1) " ${verdict.ends} times" else ""
                if (verdict.waits) "the app ended$times while it was tried" else null
            }
        }
    }

    fun text(key: String): String =
        buildString {
            appendLine(HEADER)
            appendLine(key.oneLine())
            for ((rung, verdict) in verdicts) {
                appendLine("${rung.key} ${verdict.outcome} ${verdict.ends} ${verdict.waited} ${verdict.reason}")
            }
            trying?.let { appendLine("$TRYING ${it.key}") }
        }

    private fun set(rung: Accelerator, outcome: Outcome, reason: String) {
        verdicts[rung] = Verdict(outcome, deaths(rung), 0, reason.oneLine())
    }

    private fun deaths(rung: Accelerator): Int = verdicts[rung]?.takeIf { it.outcome != Outcome.LEFT }?.ends ?: 0

    companion object {
        private const val HEADER = "edge-ladder 1"
        private const val TRYING = "trying"
        private const val MAX_REASON = 300
        private const val MAX_DOUBLINGS = 16

        /** Reads what was stored; anything else than lines of this key counts as nothing. */
        fun read(text: String?, key: String, wasLeft: Boolean = false): LadderMemory {
            val memory = LadderMemory(LinkedHashMap())
            val lines = text?.lines().orEmpty()
            if (lines.size < 2 || lines[0] != HEADER || lines[1] != key.oneLine()) return memory
            for (line in lines.drop(2)) memory.take(line.split(' ', limit = 5), wasLeft)
            return memory
        }

        private fun String.oneLine(): String = map { if (it < ' ') ' ' else it }.joinToString("").take(MAX_REASON)
    }

    private fun take(words: List<String>, wasLeft: Boolean) {
        val isMark = words[0] == TRYING
        val rung = Accelerator.entries.firstOrNull { it.key == words.getOrNull(if (isMark) 1 else 0) } ?: return
        if (isMark) {
            ended(rung, wasLeft)
            return
        }
        val outcome = Outcome.entries.firstOrNull { it.name == words.getOrNull(1) } ?: return
        val ends = words.getOrNull(2)?.toIntOrNull() ?: return
        val waited = words.getOrNull(3)?.toIntOrNull() ?: return
        verdicts[rung] = Verdict(outcome, ends, waited, words.getOrNull(4).orEmpty())
    }

    /** Judges a rung whose mark was found: the app ended while it was tried. */
    private fun ended(rung: Accelerator, wasLeft: Boolean) {
        val lefts = (verdicts[rung]?.takeIf { it.outcome == Outcome.LEFT }?.ends ?: 0) + 1
        verdicts[rung] =
            if (wasLeft && lefts < AcceleratorLadder.PATIENCE && deaths(rung) == 0) {
                Verdict(Outcome.LEFT, lefts, 0, "")
            } else {
                Verdict(Outcome.DIED, deaths(rung) + 1, 0, "")
            }
    }
}
