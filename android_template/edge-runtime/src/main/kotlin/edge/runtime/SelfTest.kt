package edge.runtime

import android.content.Context
import edge.core.GoldenCheck
import edge.core.GoldenVectors
import edge.core.ModelError
import edge.core.ModelRunning
import java.io.IOException

/** Compares what this device computes with what the host recorded in golden.json. */
object SelfTest {
    private const val FILE = "golden.json"

    /**
     * The recorded vectors.
     *
     * @throws ModelError they are not in the app, or damaged.
     */
    fun vectors(context: Context): GoldenVectors {
        val text =
            try {
                context.assets.open(FILE).use { it.readBytes().decodeToString() }
            } catch (failure: IOException) {
                throw ModelError("the app does not hold $FILE", "edge scaffold update writes it again", failure)
            }
        return GoldenVectors.read(text)
    }

    /** Runs the model and every step around it; lines that tell what is wrong, or none. */
    suspend fun problems(vectors: GoldenVectors, model: ModelRunning): List<String> =
        GoldenCheck.steps(vectors, model.facts) + GoldenCheck.cases(vectors) { model.predict(it) }
}
