package edge.core

/**
 * What runs a model, and why.
 *
 * @param accelerator that passed the self-test.
 * @param runtime with its version, for people: "LiteRT 2.3.2".
 * @param lines one for each rung of the ladder that was looked at, with the reason.
 */
data class RunReport(
    val accelerator: Accelerator,
    val runtime: String,
    val lines: List<String>,
)

/** A model that is ready. Implementations put calls from several threads in a row. */
interface ModelRunning : AutoCloseable {
    val facts: ModelFacts
    val report: RunReport

    /**
     * Runs the model once.
     *
     * @param inputs by name, in the contract's types.
     * @return outputs by name, in the contract's types; arrays of their own, not used again by the next call.
     * @throws ModelError inputs that do not fit, or a failure of the runtime.
     */
    suspend fun predict(inputs: Map<String, Tensor>): Map<String, Tensor>

    /** Gives the native memory back; may be called twice. */
    override fun close()
}
