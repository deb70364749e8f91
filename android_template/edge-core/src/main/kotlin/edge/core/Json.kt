package edge.core

/**
 * A small strict reader of JSON, so that golden vectors need no library: objects become maps, arrays lists,
 * numbers doubles.
 */
class Json private constructor(private val text: String) {
    private var at = 0

    /** Where the next escape is, so that it is looked for once and not for every text. */
    private var escape = -1

    private fun value(depth: Int): Any? {
        if (depth > MAX_DEPTH) throw wrong("it is nested too deeply")
        return when (val next = peek()) {
            '{' -> map(depth)
            '[' -> list(depth)
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> if (next == '-' || next in '0'..'9') number() else throw wrong("an unexpected $next")
        }
    }

    private fun map(depth: Int): Map<String, Any?> {
        val out = LinkedHashMap<String, Any?>()
        at++
        if (peek() == '}') {
            at++
            return out
        }
        while (true) {
            if (peek() != '"') throw wrong("a key is missing")
            val key = string()
            if (peek() != ':') throw wrong("a colon is missing")
            at++
            if (key in out) throw wrong("the key $key stands twice")
            out[key] = value(depth + 1)
            val next = peek()
            at++
            if (next == '}') return out
            if (next != ',') throw wrong("a comma is missing")
        }
    }

    private fun list(depth: Int): List<Any?> {
        val out = ArrayList<Any?>()
        at++
        if (peek() == ']') {
            at++
            return out
        }
        while (true) {
            out += value(depth + 1)
            val next = peek()
            at++
            if (next == ']') return out
            if (next != ',') throw wrong("a comma is missing")
        }
    }

    private fun string(): String {
        at++
        // Long texts are base64 without escapes: found and cut out in one piece.
        val end = text.indexOf('"', at)
        if (end < 0) throw wrong("a text has no end")
        if (escape < at) escape = text.indexOf('\\', at).let { if (it < 0) text.length else it }
        if (end < escape) return plain(text.substring(at, end)).also { at = end + 1 }
        val out = StringBuilder()
        while (true) {
            val char = take()
            when {
                char == '"' -> return out.toString()
                char == '\\' -> out.append(escaped())
                char < ' ' -> throw wrong("a control character in a text")
                else -> out.append(char)
            }
        }
    }

    private fun plain(found: String): String {
        for (char in found) if (char < ' ') throw wrong("a control character in a text")
        return found
    }

    private fun escaped(): Char =
        when (val char = take()) {
            '"', '\\', '/' -> char
            'b' -> '\b'
            'f' -> '\u000C'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> {
                var code = 0
                repeat(4) { code = 16 * code + digit(take()) }
                code.toChar()
            }
            else -> throw wrong("an odd escape")
        }

    private fun digit(char: Char): Int {
        val value = Character.digit(char, 16)
        if (value < 0 || char > 'f') throw wrong("an odd escape")
        return value
    }

    private fun number(): Double {
        val start = at
        if (text[at] == '-') at++
        val zero = at < text.length && text[at] == '0'
        val whole = digits()
        if (zero && whole > 1) throw wrong("a number begins with 0")
        if (at < text.length && text[at] == '.') {
            at++
            digits()
        }
        if (at < text.length && text[at] in "eE") {
            at++
            if (at < text.length && text[at] in "+-") at++
            digits()
        }
        return text.substring(start, at).toDouble()
    }

    private fun digits(): Int {
        val start = at
        while (at < text.length && text[at] in '0'..'9') at++
        if (at == start) throw wrong("a digit is missing")
        return at - start
    }

    private fun word(word: String, meaning: Any?): Any? {
        if (!text.startsWith(word, at)) throw wrong("an odd word")
        at += word.length
        return meaning
    }

    private fun peek(): Char {
        while (at < text.length && text[at] in SPACE) at++
        if (at >= text.length) throw wrong("it ends too early")
        return text[at]
    }

    private fun take(): Char {
        if (at >= text.length) throw wrong("a text has no end")
        return text[at++]
    }

    private fun wrong(why: String) = ModelError("this is no JSON: $why at character $at", "make the file anew with edge scaffold update")

    companion object {
        private const val MAX_DEPTH = 64
        private const val SPACE = " \t\r\n"

        /** Reads one document. */
        fun read(text: String): Any? {
            val reader = Json(text)
            val value = reader.value(0)
            while (reader.at < text.length && text[reader.at] in SPACE) reader.at++
            if (reader.at != text.length) throw reader.wrong("something follows its end")
            return value
        }
    }
}

/** A JSON object with typed access; what is missing or of another kind names its path. */
class JsonObject(
    private val values: Map<*, *>,
    private val path: String,
) {
    fun text(key: String): String = values[key] as? String ?: throw missing(key, "a text")

    fun textOrNull(key: String): String? = values[key]?.let { text(key) }

    fun number(key: String): Double = values[key] as? Double ?: throw missing(key, "a number")

    fun integer(key: String): Int {
        val value = number(key)
        if (value != Math.rint(value) || value < Int.MIN_VALUE || value > Int.MAX_VALUE) throw missing(key, "an integer")
        return value.toInt()
    }

    fun flag(key: String): Boolean = values[key] as? Boolean ?: throw missing(key, "true or false")

    fun integerOrNull(key: String): Int? = values[key]?.let { integer(key) }

    fun numbers(key: String): List<Double> = list(key).map { it as? Double ?: throw missing(key, "numbers") }

    fun list(key: String): List<*> = values[key] as? List<*> ?: throw missing(key, "a list")

    fun lists(key: String): List<List<Double>> =
        list(key).map { row -> (row as? List<*>)?.map { it as? Double ?: throw missing(key, "numbers") } ?: throw missing(key, "lists") }

    fun texts(key: String): List<String> = list(key).map { it as? String ?: throw missing(key, "texts") }

    fun child(key: String): JsonObject = of(values[key], "$path.$key")

    fun childOrNull(key: String): JsonObject? = values[key]?.let { child(key) }

    fun children(key: String): List<JsonObject> = list(key).mapIndexed { index, value -> of(value, "$path.$key[$index]") }

    fun entries(): Map<String, JsonObject> =
        values.entries.associate { (key, value) -> key.toString() to of(value, "$path.$key") }

    private fun missing(key: String, what: String) =
        ModelError("$path.$key is not $what", "make the file anew with edge scaffold update")

    companion object {
        fun of(value: Any?, path: String): JsonObject =
            JsonObject(
                value as? Map<*, *> ?: throw ModelError("$path is no object", "make the file anew with edge scaffold update"),
                path,
            )
    }
}
