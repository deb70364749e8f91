package app

import android.content.Context
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.Environment
import com.google.android.gms.litert.LiteRt
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.tasks.await

suspend fun environment(context: Context): Environment = LiteRt.initialize(context).await()

suspend fun environmentByListeners(context: Context): Environment = suspendCancellableCoroutine { waiting ->
    LiteRt.initialize(context)
        .addOnSuccessListener { waiting.resume(it) }
        .addOnFailureListener { waiting.resumeWithException(it) }
}

suspend fun model(context: Context): CompiledModel =
    CompiledModel.create(context.assets, "m.tflite", CompiledModel.Options.CPU, environment(context))
