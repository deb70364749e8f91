package edge.runtime

import android.content.Context
import edge.core.ModelError
import edge.core.generated.ModelSpec
import java.io.File
import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL
import javax.net.ssl.HttpsURLConnection
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/** Where a model's file is. */
sealed interface ModelSource {
    /** In the APK, stored as it is, so that it is mapped into memory and not copied. */
    class Asset(val name: String) : ModelSource

    /** On its own, in the app's private files. */
    class Stored(val file: File) : ModelSource
}

/**
 * The file of a model: the one in the app, or a downloaded one with the very same digest.
 *
 * An app that leaves the model out of its APK calls [download] once; its manifest then asks for
 * android.permission.INTERNET.
 */
class ModelStore(context: Context) {
    private val facts = ModelSpec
    private val assets = context.applicationContext.assets

    // The name is the digest, and a file only gets it when its content was checked.
    private val stored =
        VerifiedFile(
            File(privateFolder(context), "models/${facts.modelSha256}.tflite"),
            facts.modelSha256,
            facts.modelSize,
        )

    /**
     * Finds the model.
     *
     * @throws ModelError it is nowhere, or the app's build compressed it.
     */
    fun locate(): ModelSource {
        if (stored.isThere) return ModelSource.Stored(stored.file)
        if (facts.modelFile !in assets.list("").orEmpty()) {
            val name = facts.modelFile
            throw ModelError("the model $name is neither in the app nor downloaded", "call ModelStore.download first")
        }
        try {
            assets.openFd(facts.modelFile).close()
        } catch (failure: IOException) {
            throw ModelError(
                "the model ${facts.modelFile} cannot be mapped into memory",
                "the app's build.gradle.kts needs androidResources { noCompress += \"tflite\" }",
                failure,
            )
        }
        return ModelSource.Asset(facts.modelFile)
    }

    /**
     * Fetches the model, unless it is there: whole and with the right digest, or not at all.
     *
     * @param address of the file; https only.
     * @param progress gets the bytes that came, of [ModelSpec]'s `modelSize`; called on a thread for such work.
     * @throws ModelError it could not be fetched, or is not this project's model.
     */
    suspend fun download(address: String, progress: (Long) -> Unit = {}): Unit =
        withContext(Dispatchers.IO) { one.withLock { if (!stored.isThere) fetch(address, progress) } }

    private suspend fun fetch(address: String, progress: (Long) -> Unit) {
        val job = currentCoroutineContext()
        try {
            val connection =
                URL(address).openConnection() as? HttpsURLConnection
                    ?: throw ModelError("$address is not https", "give the address of a server with TLS")
            connection.connectTimeout = TIMEOUT
            connection.readTimeout = TIMEOUT
            try {
                if (connection.responseCode != HttpURLConnection.HTTP_OK) {
                    throw ModelError("the server answered ${connection.responseCode}", "check the address $address")
                }
                connection.inputStream.use { stream ->
                    stored.take(stream) {
                        job.ensureActive()
                        progress(it)
                    }
                }
            } finally {
                connection.disconnect()
            }
        } catch (failure: IOException) {
            val remedy = "try again with a connection, and room for ${facts.modelSize} bytes"
            throw ModelError("the model could not be fetched: ${failure.message}", remedy, failure)
        }
    }

    internal companion object {
        private const val TIMEOUT = 30_000

        /** Two downloads at once would write to the same file. */
        private val one = Mutex()

        /** For what belongs to this device: it is in no backup. */
        fun privateFolder(context: Context): File = File(context.applicationContext.noBackupFilesDir, "edge")
    }
}
