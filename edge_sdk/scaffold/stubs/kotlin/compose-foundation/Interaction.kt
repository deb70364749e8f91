// Stub of androidx.compose.foundation:foundation of compose-bom 2026.09.00
package androidx.compose.foundation.interaction

import androidx.compose.runtime.Stable
import kotlinx.coroutines.flow.Flow

interface Interaction

@Stable
interface InteractionSource {
    val interactions: Flow<Interaction>
}

@Stable
interface MutableInteractionSource : InteractionSource {
    suspend fun emit(interaction: Interaction)

    fun tryEmit(interaction: Interaction): Boolean
}

fun MutableInteractionSource(): MutableInteractionSource = TODO()
