package edge.runtime

import android.content.Context
import edge.core.GoldenCheck
import edge.core.GoldenVectors
import edge.core.ModelRunning

/** Compares what this device computes with what the host recorded in golden.json. */
object SelfTest {
    private const val FILE = "golden.json"

    /** The recorded vectors. */
    fun vectors(context: Context): GoldenVectors =
        context.assets.open(FILE).use { GoldenVectors.read(it.readBytes().decodeToString()) }

    /** Runs the model and every step around it; lines that tell what is wrong, or none. */
    suspend fun problems(vectors: GoldenVectors, model: ModelRunning): List<String> =
        GoldenCheck.steps(vectors, model.facts) + GoldenCheck.cases(vectors) { model.predict(it) }
}
